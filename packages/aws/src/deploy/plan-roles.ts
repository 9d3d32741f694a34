import { setupOfAlias, sweepName, sweepRoleName } from '../names.js'
import { documentOf, GRANTS_VARIABLE, type Grant, grantsOf, namedBy } from './grants.js'
import type { Observed, ObservedFunction } from './observed.js'
import { type Desired, ofKind, type PolicyDocument, type RoleResource } from './resources.js'
import { basePolicy, grantsOfSetup, setupsPolicy, sweeps } from './roles.js'
import { type Step, stepFor } from './steps.js'

/** Steps that give a role what the setup needs, beside what it has for others. */
export function roleSteps(role: RoleResource, known: Map<string, string> | undefined): Step[] {
  const step = stepFor('roles', `role ${role.name}`)
  return [
    ...(known ? [] : [step(`create, for ${role.service}`, { do: 'create-role', role })]),
    ...role.policies.flatMap(({ document: own, name }) => {
      const text = known?.get(name)
      const document = name === setupsPolicy ? documentOf([...knownGrants(known), ...grantsOf(own)]) : own
      if (text !== undefined && isSameDocument(text, document)) return []
      const words = `${text === undefined ? 'add' : 'change'} policy ${name}: ${statements(document)}`
      return [step(words, { do: 'put-policy', role: role.name, policy: { name, document } })]
    }),
  ]
}

/**
 * Steps that take from roles what no setup that is kept needs, and remove those of functions that are gone.
 * @param kept deployed setups
 * @param hasFunction whether a function of the name stays
 */
export function roleRetirement(
  desired: Desired,
  { functions, roles, scheduleGroups }: Observed,
  kept: ReadonlySet<string>,
  hasFunction: (name: string) => boolean,
): Step[] {
  const wanted = new Map(ofKind(desired, 'role').map((role) => [role.name, role]))
  const sweepRole = sweepRoleName(desired.settings.prefix)
  const schedules = scheduleGroups.get(sweepName(desired.settings.prefix)) ?? []
  const targets = schedules.map(({ target }) => target).filter((one) => isOf(one, kept))
  return [...roles].flatMap(([name, policies]) => {
    // After the functions: a version that still runs has its permissions.
    const step = stepFor('roles-clean', `role ${name}`)
    const role = wanted.get(name)
    if (!role && !hasFunction(name) && !(name === sweepRole && targets.length > 0))
      return [
        ...[...policies.keys()].map((policy) =>
          step(`remove policy ${policy}`, { do: 'delete-policy' as const, role: name, policy }),
        ),
        step('delete: no function has it', { do: 'delete-role' as const, role: name }),
      ]
    const own = role ? grantsOfSetup(role) : []
    const had = [...knownGrants(policies), ...own]
    const isNeeded = name === sweepRole ? sweptBy(targets) : namedBy(keysOf(functions.get(name), kept))
    const needed = documentOf([...had.filter(isNeeded), ...own])
    return [
      ...[...policies.keys()]
        .filter((policy) => policy !== basePolicy && policy !== setupsPolicy)
        .map((policy) => step(`remove policy ${policy}`, { do: 'delete-policy' as const, role: name, policy })),
      ...(isSameDocument(JSON.stringify(documentOf(had)), needed) ? [] : [shrunk(name, needed)]),
    ]
  })
}

function shrunk(role: string, document: PolicyDocument): Step {
  const step = stepFor('roles-clean', `role ${role}`)
  return document.Statement.length === 0
    ? step(`remove policy ${setupsPolicy}`, { do: 'delete-policy', role, policy: setupsPolicy })
    : step(`policy ${setupsPolicy} without what no setup needs any more: ${statements(document)}`, {
        ...{ do: 'put-policy' as const, role, policy: { name: setupsPolicy, document } },
      })
}

/** What the versions of kept setups say that they need. */
function keysOf(one: ObservedFunction | undefined, kept: ReadonlySet<string>): string[] {
  return Object.entries(one?.aliases ?? {}).flatMap(([alias, { version }]) =>
    kept.has(setupOfAlias(alias) ?? '') ? (one?.versions[version]?.environment[GRANTS_VARIABLE] ?? []) : [],
  )
}

function isOf(target: string, kept: ReadonlySet<string>): boolean {
  return kept.has(setupOfAlias(target.split(':').at(-1) ?? '') ?? '')
}

function sweptBy(targets: readonly string[]): (grant: Grant) => boolean {
  const all = targets.map(sweeps)
  return ({ Resource: [resource] }) => all.some((isSwept) => isSwept(resource))
}

/** What the role has for all setups; what somebody else wrote there in another form is replaced. */
function knownGrants(policies: Map<string, string> | undefined): Grant[] {
  try {
    return grantsOf(JSON.parse(policies?.get(setupsPolicy) ?? '{"Statement":[]}') as PolicyDocument)
  } catch {
    return []
  }
}

function statements({ Statement: { length } }: PolicyDocument): string {
  return `${length} statement${length === 1 ? '' : 's'}`
}

function isSameDocument(text: string, document: PolicyDocument): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(document)
  } catch {
    return false
  }
}
