/** A policy document, as far as the double reads it. */
export interface PolicyDocument {
  Statement: Statement | Statement[]
}

interface Statement {
  Effect: 'Allow' | 'Deny'
  Action?: string | string[]
  Resource?: string | string[]
  Principal?: string | Record<string, string | string[]>
  NotAction?: unknown
  NotResource?: unknown
  Condition?: Record<string, Record<string, string | string[]>>
}

/**
 * Whether policies allow an action on a resource: an Allow that matches and no Deny that does.
 * Not imitated: conditions other than ForAllValues:StringLike and StringEquals (an Allow that has one allows nothing, a Deny that has one denies),
 * NotAction and NotResource (likewise), policy variables, boundaries, session policies, service control policies.
 */
export function isAllowed(
  policies: readonly PolicyDocument[],
  action: string,
  resource: string,
  context: Context = {},
): boolean {
  const statements = policies.flatMap(statementsOf)
  const applies = (s: Statement) => matches(s.Action, action, true) && matches(s.Resource, resource, false)
  if (statements.some((s) => s.Effect === 'Deny' && applies(s))) return false
  return statements.some((s) => s.Effect === 'Allow' && holds(s.Condition, context) && applies(s))
}

/** Keys of a request's context with their values. */
export type Context = Record<string, readonly string[]>

function holds(condition: Statement['Condition'] = {}, context: Context): boolean {
  return Object.entries(condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, patterns]) => {
      const values = context[key] ?? []
      if (operator === 'ForAllValues:StringLike') return values.every((value) => matches(patterns, value, false))
      return (
        operator === 'StringEquals' && values.length > 0 && values.every((value) => listOf(patterns).includes(value))
      )
    }),
  )
}

/** Whether a trust policy lets a service take the role. */
export function isAssumableBy(trust: PolicyDocument, service: string): boolean {
  return statementsOf(trust).some(
    ({ Effect, Action, Principal }) =>
      Effect === 'Allow' &&
      matches(Action, 'sts:AssumeRole', true) &&
      typeof Principal === 'object' &&
      listOf(Principal.Service).includes(service),
  )
}

export function statementsOf(policy: PolicyDocument): Statement[] {
  return Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement]
}

function listOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : [value].flat()
}

/** Actions are the same in capitals and small letters, resources are not. */
function matches(patterns: string | string[] | undefined, value: string, ignoreCase: boolean): boolean {
  return listOf(patterns).some((pattern) => wildcard(pattern, ignoreCase).test(value))
}

function wildcard(pattern: string, ignoreCase: boolean): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, ignoreCase ? 'is' : 's')
}
