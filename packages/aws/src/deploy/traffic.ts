import { UpdateAliasCommand } from '@aws-sdk/client-lambda'
import { FusionizeError } from 'fusionize'
import { liveAlias, setupAlias, setupOfAlias, setupOfDeployed } from '../names.js'
import type { Clients } from './clients.js'
import { failing } from './failure.js'
import { observeFunctions } from './observe-functions.js'
import type { ObservedFunction } from './observed.js'
import { parallel } from './parallel.js'
import { aliasDescription } from './retirement.js'

/** Functions changed at a time. */
const AT_ONCE = 6

/**
 * Shares new sessions between two setups that are deployed, or gives them all to one; sessions under way stay where they are. Aliases move one
 * after the other, and a request sees one setup all the same.
 * @param options names of the Lambda functions that there may be, for who may not list them; epoch ms
 * @param weights by id of a setup, or of a deployed setup where the same setup is there with different code; relative
 * @throws {FusionizeError} `INVALID_SETUP` when a setup is not deployed, `UNSUPPORTED` for more than two: an alias of Lambda has two versions at most
 */
export async function shiftTraffic(
  prefix: string,
  weights: Record<string, number>,
  { lambda }: Pick<Clients, 'lambda'>,
  { names, now = Date.now() }: { names?: readonly string[]; now?: number } = {},
): Promise<void> {
  const { own: functions } = await observeFunctions(lambda, prefix, names)
  const shares = sharesOf(weights, [...functions.values()])
  const setups = new Set(shares.map(({ deployed }) => deployed))
  await parallel([...functions.values()], AT_ONCE, async ({ aliases, name }) => {
    const update = async (Name: string, change: object) => {
      await failing(`alias ${name}:${Name}`, 'UpdateAlias', () =>
        lambda.send(new UpdateAliasCommand({ FunctionName: name, Name, ...change })),
      )
    }
    // What serves must not retire; marked before it serves.
    for (const [alias, { description }] of Object.entries(aliases)) {
      const deployed = setupOfAlias(alias)
      if (deployed === undefined) continue
      const serves = setups.has(deployed)
      if (serves && description !== aliasDescription()) await update(alias, { Description: aliasDescription() })
      if (!serves && description === aliasDescription()) await update(alias, { Description: aliasDescription(now) })
    }
    const versions = shares.flatMap(({ deployed, share }) => {
      const version = aliases[setupAlias(deployed)]?.version
      return version === undefined ? [] : [{ version, share }]
    })
    const [first, second] = versions
    if (!first || !aliases[liveAlias]) return
    const AdditionalVersionWeights = second ? { [second.version]: second.share } : {}
    await update(liveAlias, { FunctionVersion: first.version, RoutingConfig: { AdditionalVersionWeights } })
  })
}

interface Share {
  deployed: string
  /** Of new sessions, from 0 to 1. */
  share: number
}

/** The larger first, which becomes the version that the alias is said to have. */
function sharesOf(weights: Record<string, number>, functions: readonly ObservedFunction[]): Share[] {
  const wrong = Object.entries(weights).find(([, weight]) => !(weight >= 0 && Number.isFinite(weight)))
  if (wrong)
    throw new FusionizeError('INVALID_SETUP', `the weight of setup '${wrong[0]}' must be 0 or more, not ${wrong[1]}`)
  const given = Object.entries(weights).filter(([, weight]) => weight > 0)
  if (given.length === 0)
    throw new FusionizeError('INVALID_SETUP', 'a setup must get sessions; give one a weight above 0')
  if (given.length > 2)
    throw new FusionizeError(
      'UNSUPPORTED',
      `an alias of Lambda shares its traffic between two versions, so not between ${given.length} setups; give weights to two at a time`,
    )
  const sum = given.reduce((total, [, weight]) => total + weight, 0)
  return given
    .map(([id, weight]) => ({ deployed: deployedAs(id, functions), share: weight / sum }))
    .sort((a, b) => b.share - a.share)
}

/** The deployed setup that an id means. With the same setup in several codes, the one that was replaced last, or never. */
function deployedAs(id: string, functions: readonly ObservedFunction[]): string {
  const all = new Map<string, string>()
  for (const { aliases } of functions)
    for (const [alias, { description }] of Object.entries(aliases)) {
      const deployed = setupOfAlias(alias)
      if (deployed !== undefined && (deployed === id || setupOfDeployed(deployed) === id))
        all.set(deployed, description)
    }
  // 'serves' comes after 'replaced …', and a later date after an earlier one
  const [found] = [...all].sort(([, a], [, b]) => (a < b ? 1 : -1))
  if (found) return found[0]
  const known = new Set(
    functions.flatMap(({ aliases }) => Object.keys(aliases).flatMap((one) => setupOfAlias(one) ?? [])),
  )
  throw new FusionizeError(
    'INVALID_SETUP',
    `setup '${id}' is not deployed; deployed are ${[...known].sort().join(', ') || 'none'}; deploy it first`,
    { setup: id },
  )
}

/** Shares of new sessions by id of the setup, as the `live` aliases have them. */
export async function servedSetups(
  prefix: string,
  { lambda }: Pick<Clients, 'lambda'>,
): Promise<{ id: string; weight: number }[]> {
  const { own } = await observeFunctions(lambda, prefix)
  const shares = [...sharesOfAliases(own.values())]
  return shares
    .map(([deployed, weight]) => ({ id: setupOfDeployed(deployed), weight }))
    .sort((a, b) => b.weight - a.weight)
}

/** Shares of new sessions by deployed setup, as the `live` aliases have them. */
export function sharesOfAliases(functions: Iterable<ObservedFunction>): Map<string, number> {
  const shares = new Map<string, number>()
  for (const { aliases } of functions) {
    const live = aliases[liveAlias]
    if (live === undefined) continue
    const others = Object.values(live.weights).reduce((sum, weight) => sum + weight, 0)
    for (const [version, weight] of [[live.version, 1 - others] as const, ...Object.entries(live.weights)]) {
      const alias = Object.entries(aliases).find(([name, one]) => name !== liveAlias && one.version === version)?.[0]
      const deployed = alias === undefined ? undefined : setupOfAlias(alias)
      // What only one of two setups has gives all of its sessions to that.
      if (deployed !== undefined) shares.set(deployed, Math.min(shares.get(deployed) ?? 1, weight))
    }
  }
  return shares
}
