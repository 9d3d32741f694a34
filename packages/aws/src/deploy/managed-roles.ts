import { type App, type Constraints, remoteSetup } from 'fusionize/setup'
import { functionName, setupAlias, sweepRoleName } from '../names.js'
import { possibleTasks } from './may-share.js'
import { type Needs, needsOf } from './needs.js'
import type { RoleResource } from './resources.js'
import { functionRole, sweepRole } from './roles.js'
import type { Settings } from './settings.js'

/** Policy with what a function needs in any setup that may come. */
export const managedPolicy = 'managed'

/** Aliases of any setup, in ARNs. */
const anySetup = setupAlias('*')

/**
 * The roles of a managed app: one for each task, and the scheduler's. They are the same in every setup, so whoever changes setups needs to change no permission, and may
 * change none. The price is what a function may do: whatever any of the tasks needs that the constraints allow in it.
 * @param taker function that the queue of times comes to
 */
export function managedRoles(
  app: App,
  settings: Settings,
  constraints: Constraints,
  taker: string | undefined,
): RoleResource[] {
  const tasks = Object.keys(app.tasks).sort()
  const alone = needsOf(app, remoteSetup(app, 128), tasks)
  const holdsWork = settings.afterReply === 'extension'
  const roles = tasks.map((fn) => {
    const inside = possibleTasks(app, constraints, fn)
    const needs: Needs = {
      ...(alone.get(fn) as Needs),
      tasks: inside,
      // Itself, for work that it begins and has to be run again.
      callees: [...new Set([fn, ...inside.flatMap((task) => alone.get(task)?.callees ?? [])])].sort(),
    }
    return functionRole(
      app,
      settings,
      fn,
      needs,
      { alias: anySetup, holdsWork, takesTimes: fn === taker },
      managedPolicy,
    )
  })
  const names = tasks.map((fn) => functionName(settings.prefix, fn))
  return [
    ...roles,
    sweepRole(settings, sweepRoleName(settings.prefix), names, { alias: anySetup, policy: managedPolicy }),
  ]
}
