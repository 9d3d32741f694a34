import { setupOfAlias, sweepName, sweepScheduleName } from '../names.js'
import type { Clients } from './clients.js'
import { observeFunctions } from './observe-functions.js'
import { schedulesOf } from './observe-schedules.js'
import { nothingObserved, type Observed } from './observed.js'

/**
 * Reads what a setup is of, by names: functions, and the schedules of their setups. For who may not list what an account has, and changes nothing
 * else; all else is as if it were not there.
 * @param names of Lambda functions that there may be
 */
export async function observeNamed(clients: Clients, prefix: string, names: readonly string[]): Promise<Observed> {
  const { own: functions, strangers } = await observeFunctions(clients.lambda, prefix, names)
  const deployed = new Set(
    [...functions.values()].flatMap(({ aliases }) => Object.keys(aliases).flatMap((one) => setupOfAlias(one) ?? [])),
  )
  const schedules = [...deployed].flatMap((one) => names.map((name) => sweepScheduleName(one, name)))
  const group = sweepName(prefix)
  return {
    ...nothingObserved(),
    functions,
    strangers,
    scheduleGroups: new Map([[group, await schedulesOf(clients, group, schedules)]]),
  }
}
