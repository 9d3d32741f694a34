import type { App, Constraints, TaskName } from 'fusionize/setup'

/**
 * Tasks that a function may contain in any setup that the constraints allow: itself, and what it reaches by calls through such tasks. Sorted. What bounds
 * of memory or `together` forbid besides is in it all the same.
 */
export function possibleTasks(app: App, constraints: Constraints, fn: TaskName): TaskName[] {
  const found = new Set([fn])
  for (const from of found)
    for (const edge of app.edges) if (edge.from === from && mayShare(app, constraints, fn, edge.to)) found.add(edge.to)
  return [...found].sort()
}

function mayShare(app: App, { apart = [], isolate = [], zones = {} }: Constraints, host: TaskName, guest: TaskName) {
  if (host === guest) return true
  const isAlone = (task: TaskName) => app.tasks[task]?.isolate === true || isolate.includes(task)
  const zoneOf = (task: TaskName) => Object.entries(zones).find(([, tasks]) => tasks.includes(task))?.[0]
  const [here, there] = [zoneOf(host), zoneOf(guest)]
  return (
    !isAlone(host) &&
    !isAlone(guest) &&
    !apart.some((group) => group.includes(host) && group.includes(guest)) &&
    (here === undefined || there === undefined || here === there)
  )
}
