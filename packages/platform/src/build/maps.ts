import type { FunctionSpec, TaskName } from 'fusionize/setup'
import type { MapRequest } from './entry.js'
import { compare } from './problems.js'
import type { Scan } from './scan.js'

/**
 * What the function needs for maps: its tasks make some, or one of its tasks is mapped over. Nothing otherwise.
 * @param tasks in its artifact
 */
export function mapRequest(
  { app, withBuckets }: Pick<Scan, 'app' | 'withBuckets'>,
  fn: TaskName,
  tasks: readonly TaskName[],
  { inline, bundle, parallel }: FunctionSpec,
): MapRequest | undefined {
  const mapsTo = (from?: ReadonlySet<TaskName>) =>
    new Set(
      app.edges.filter((edge) => edge.modes.includes('map') && (!from || from.has(edge.from))).map(({ to }) => to),
    )
  const made = mapsTo(new Set(tasks))
  const isTarget = mapsTo().has(fn)
  if (made.size === 0 && !isTarget) return undefined
  const bundles = Object.entries(bundle).filter(([task, items]) => items > 1 && made.has(task))
  const itemsHere = [...made].filter((task) => inline.map.includes(task)).concat(isTarget ? [fn] : [])
  // A pool cannot reach the shards of the sandbox's buckets.
  const poolable = [...new Set(itemsHere)].filter((task) => [...runsWith(task)].every((one) => !withBuckets.has(one)))
  return {
    ...(bundles.length > 0 && { bundle: Object.fromEntries(bundles.sort(([a], [b]) => compare(a, b))) }),
    ...(parallel && { parallel }),
    ...(parallel !== 'loop' && poolable.length > 0 && { poolable: poolable.sort(compare) }),
  }

  /** A task and what runs in the same thread when it does: sends are begun by the sandbox, not by the item. */
  function runsWith(task: TaskName): Set<TaskName> {
    const reached = new Set([task])
    for (const from of reached)
      for (const { from: caller, to, modes } of app.edges)
        if (caller === from && modes.some((mode) => mode !== 'send' && inline[mode].includes(to))) reached.add(to)
    return reached
  }
}
