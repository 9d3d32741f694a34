import { createHash } from 'node:crypto'
import { AwsError } from '../gateway/error.js'
import { checkRevision, conflict, type LambdaFunction, type PolicyStatement } from './model.js'
import type { Places } from './places.js'

export interface PermissionInput {
  StatementId: string
  Action: string
  Principal: string
  SourceArn?: string
  SourceAccount?: string
  FunctionUrlAuthType?: string
  InvokedViaFunctionUrl?: boolean
  RevisionId?: string
}

/**
 * Adds a statement to the policy of a function, a version or an alias; returns it.
 * Not imitated: what a policy allows to other services and accounts (only function URLs look at it), its limit of 20 KB.
 */
export function addPermission(
  places: Places,
  fn: LambdaFunction,
  qualifier: string | undefined,
  input: PermissionInput,
): PolicyStatement {
  places.configuration(fn, qualifier)
  const key = qualifier ?? ''
  const statements = fn.policies.get(key) ?? []
  if (statements.some(({ Sid }) => Sid === input.StatementId))
    throw conflict(
      `The statement id (${input.StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    )
  if (input.RevisionId !== undefined) checkRevision(input.RevisionId, policyRevision(statements), 'GetPolicy')
  const conditions = {
    ...(input.SourceArn ? { ArnLike: { 'AWS:SourceArn': input.SourceArn } } : {}),
    ...(input.FunctionUrlAuthType ? { StringEquals: { 'lambda:FunctionUrlAuthType': input.FunctionUrlAuthType } } : {}),
    ...(input.InvokedViaFunctionUrl ? { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } } : {}),
  }
  const statement: PolicyStatement = {
    Sid: input.StatementId,
    Effect: 'Allow',
    Principal:
      input.Principal === '*'
        ? '*'
        : input.Principal.includes('.')
          ? { Service: input.Principal }
          : { AWS: input.Principal },
    Action: input.Action,
    Resource: places.arnOf(fn.name, qualifier),
    ...(Object.keys(conditions).length > 0 ? { Condition: conditions } : {}),
  }
  fn.policies.set(key, [...statements, statement])
  return statement
}

export function removePermission(fn: LambdaFunction, qualifier: string | undefined, id: string): void {
  const key = qualifier ?? ''
  const statements = fn.policies.get(key) ?? []
  if (!statements.some(({ Sid }) => Sid === id)) throw noPolicy(`Statement ${id} is not found in resource policy.`)
  fn.policies.set(
    key,
    statements.filter(({ Sid }) => Sid !== id),
  )
}

export function policyOf(fn: LambdaFunction, qualifier: string | undefined): { Policy: string; RevisionId: string } {
  const statements = fn.policies.get(qualifier ?? '') ?? []
  if (statements.length === 0) throw noPolicy('The resource you requested does not exist.')
  const Policy = JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: statements })
  return { Policy, RevisionId: policyRevision(statements) }
}

/** Whether anyone may call the function's URL: the two statements that `NONE` needs since October 2025. */
export function isPublicByUrl(fn: LambdaFunction, qualifier: string | undefined): boolean {
  const statements = (fn.policies.get(qualifier ?? '') ?? []).filter(({ Principal }) => Principal === '*')
  return ['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction'].every((action) =>
    statements.some((x) => x.Action === action),
  )
}

function policyRevision(statements: readonly PolicyStatement[]): string {
  return createHash('sha256').update(JSON.stringify(statements)).digest('hex').slice(0, 32)
}

function noPolicy(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', 404, message)
}
