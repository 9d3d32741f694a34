import type { FunctionSpec, TaskName } from 'fusionize/setup'
import type { MapRequest } from './entry.js'
import type { Material } from './material.js'
import { compare } from './problems.js'

/**
 * What the function needs for maps: its tasks make some, or one of its tasks is mapped over. Nothing otherwise.
 * @param tasks in its artifact
 */
export function mapRequest(
  { app, withBuckets }: Pick<Material, 'app' | 'withBuckets'>,
  fn: TaskName,
  tasks: readonly TaskName[],
  { inline, bundle, parallel, concurrency }: FunctionSpec,
): MapRequest | undefined {
  const mapsTo = (from?: ReadonlySet<TaskName>) =>
    new Set(
      app.edges.filter((edge) => edge.modes.includes('map') && (!from || from.has(edge.from))).map(({ to }) => to),
    )
  const made = mapsTo(new Set(tasks))
  const isTarget = mapsTo().has(fn)
  const mappedHere = [...made].filter((task) => inline.map.includes(task))
  // Items of its own maps gain more by the pool than all of them together in one member.
  const whole = concurrency > 1 && parallel === 'threads' && mappedHere.length === 0 && mayLeave(fn)
  const calls = app.edges.filter(
    ({ from, to, modes }) => tasks.includes(from) && tasks.includes(to) && modes.includes('call'),
  )
  const called = [...new Set(calls.map(({ to }) => to))].filter((task) => inline.call.includes(task) && mayLeave(task))
  const branches = parallel === 'processes' ? called.sort(compare) : []
  if (made.size === 0 && !isTarget && !whole && branches.length === 0) return undefined
  const bundles = Object.entries(bundle).filter(([task, items]) => items > 1 && made.has(task))
  const poolable = new Set(mappedHere.concat(isTarget ? [fn] : []).filter(mayLeave))
  if (whole) poolable.add(fn)
  for (const task of branches) poolable.add(task)
  return {
    ...(bundles.length > 0 && { bundle: Object.fromEntries(bundles.sort(([a], [b]) => compare(a, b))) }),
    ...(parallel && { parallel }),
    ...(parallel !== 'loop' && poolable.size > 0 && { poolable: [...poolable].sort(compare) }),
    ...(whole && { spread: { whole } }),
    ...(branches.length > 0 && { spread: { branches } }),
  }

  /** A pool cannot reach the shards of the sandbox's buckets. */
  function mayLeave(task: TaskName): boolean {
    return [...runsWith(task)].every((one) => !withBuckets.has(one))
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
