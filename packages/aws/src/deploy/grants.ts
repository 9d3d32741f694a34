import { createHash } from 'node:crypto'
import type { PolicyDocument, Statement } from './resources.js'

/** Variable in which a version says which grants it needs: their keys. The deployer reads it, and nothing that runs. */
export const GRANTS_VARIABLE = 'FUSIONIZE_GRANTS'

/** A statement about one resource: the least that a role has or lacks. */
export type Grant = Statement & { Resource: [string] }

/** Digits of a key: versions of a role have some dozens of grants. */
const KEY_DIGITS = 8

/** What a document allows, one resource at a time. */
export function grantsOf({ Statement }: PolicyDocument): Grant[] {
  return Statement.flatMap((one) => one.Resource.map((resource): Grant => ({ ...one, Resource: [resource] })))
}

/** The shortest document that allows this: each grant once, in an order of its own. */
export function documentOf(grants: readonly Grant[]): PolicyDocument {
  const resources = new Map<string, Set<string>>()
  for (const { Resource, ...rest } of grants) {
    const head = JSON.stringify(rest)
    resources.set(head, (resources.get(head) ?? new Set()).add(Resource[0]))
  }
  const sids = new Set<string>()
  const statements = [...resources]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([head, all]): Statement => {
      const { Condition, Sid, ...rest } = JSON.parse(head) as Omit<Statement, 'Resource'>
      // Two of one name, as releases of fusionize may have, are no valid document.
      const isNamed = Sid !== undefined && !sids.has(Sid)
      if (isNamed) sids.add(Sid)
      return { ...(isNamed && { Sid }), ...rest, Resource: [...all].sort(), ...(Condition && { Condition }) }
    })
  return { Version: '2012-10-17', Statement: statements }
}

/** Keys of grants, as `GRANTS_VARIABLE` has them; never empty. */
export function grantKeys(grants: readonly Grant[]): string {
  return grants.length === 0 ? 'none' : grants.map(keyOf).sort().join(' ')
}

/** The grants that keys name. @param keys values of `GRANTS_VARIABLE` */
export function namedBy(keys: readonly string[]): (grant: Grant) => boolean {
  const all = new Set(keys.flatMap((one) => one.split(' ')))
  return (grant) => all.has(keyOf(grant))
}

/** The name of a statement says nothing of what it allows. */
function keyOf({ Action, Condition, Effect, Resource }: Grant): string {
  const what = JSON.stringify([Effect, Action, Resource, Condition])
  return createHash('sha256').update(what).digest('hex').slice(0, KEY_DIGITS)
}
