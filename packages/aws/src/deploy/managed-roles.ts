import { type App, type Constraints, remoteSetup } from 'fusionize/setup'
import { possibleTasks } from './may-share.js'
import { type Needs, needsOf } from './needs.js'
import type { RoleResource } from './resources.js'
import { functionRole } from './roles.js'
import type { Settings } from './settings.js'

/**
 * The roles of a managed app, one for each task. They are the same in every setup, so whoever changes setups needs to change no permission, and may
 * change none. The price is what a function may do: whatever any of the tasks needs that the constraints allow in it.
 * @param taker function that the queue of times comes to
 */
export function managedRoles(
  app: App,
  settings: Settings,
  constraints: Constraints,
  taker: string | undefined,
): Map<string, RoleResource> {
  const tasks = Object.keys(app.tasks).sort()
  const alone = needsOf(app, remoteSetup(app, 128), tasks)
  const holdsWork = settings.afterReply === 'extension'
  return new Map(
    tasks.map((fn) => {
      const inside = possibleTasks(app, constraints, fn)
      const needs: Needs = {
        ...(alone.get(fn) as Needs),
        tasks: inside,
        // Itself, for work that it begins and has to be run again.
        callees: [...new Set([fn, ...inside.flatMap((task) => alone.get(task)?.callees ?? [])])].sort(),
      }
      return [fn, functionRole(app, settings, fn, needs, { holdsWork, takesTimes: fn === taker })]
    }),
  )
}
