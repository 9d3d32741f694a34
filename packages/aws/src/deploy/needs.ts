import {
  type App,
  artifactTasks,
  directModes,
  entryTasks,
  type FusionSetup,
  routeOf,
  type StaticEdge,
} from 'fusionize/setup'

/** What a function of a setup does that resources or permissions are needed for. All lists are sorted. */
export interface Needs {
  tasks: string[]
  /** Functions that it calls, maps over or sends to; itself, where work that it begins may have to be run again. */
  callees: string[]
  /** It may be called by somebody who waits for the answer. */
  isCalled: boolean
  /** It may run work that nobody waits for, after its answer has left. */
  leavesWork: boolean
  /** The app has buckets: then every function may step their machines, end a session, and start what a trigger starts. */
  usesBuckets: boolean
}

/** The needs of the functions of a setup, by function. */
export function needsOf(app: App, setup: FusionSetup, functions: readonly string[]): Map<string, Needs> {
  const calls = new Map(functions.map((fn) => [fn, remoteCalls(app, setup, fn)]))
  const entries = entryTasks(app)
  const buckets = Object.values(app.buckets ?? {})
  const triggered = buckets
    .flatMap(({ triggers }) => triggers.map(({ task }) => task))
    .filter((fn) => functions.includes(fn))
  return new Map(
    functions.map((fn) => {
      const tasks = artifactTasks(app, setup, fn)
      const spec = setup.functions[fn]
      const waitsForIt = (edges: RemoteCalls) => edges.waiting.has(fn)
      const leavesWork = (spec?.inline.send.length ?? 0) > 0 || (spec?.buckets.length ?? 0) > 0
      const callees = new Set([...(calls.get(fn)?.all ?? []), ...(leavesWork ? [fn] : []), ...triggered])
      const needs: Needs = {
        tasks,
        callees: [...callees].sort(),
        isCalled: entries.includes(fn) || [...calls.values()].some(waitsForIt),
        leavesWork,
        usesBuckets: buckets.length > 0,
      }
      return [fn, needs]
    }),
  )
}

/** Functions that one may call, and those of them whose answers it waits for. */
interface RemoteCalls {
  all: Set<string>
  waiting: Set<string>
}

function remoteCalls(app: App, setup: FusionSetup, fn: string): RemoteCalls {
  const inside = artifactTasks(app, setup, fn)
  const found: RemoteCalls = { all: new Set(), waiting: new Set() }
  for (const edge of app.edges) {
    if (!inside.includes(edge.from)) continue
    const remote = directModes(edge).filter((mode) => routeOf(setup, fn, edge.to, mode) === 'remote')
    if (remote.length > 0 || startsRemotely(app, setup, fn, edge)) found.all.add(edge.to)
    if (remote.some((mode) => mode !== 'send')) found.waiting.add(edge.to)
  }
  return found
}

/** Whether a trigger that this edge stands for may start the other task in its own function. */
function startsRemotely(app: App, setup: FusionSetup, fn: string, { buckets, to }: StaticEdge): boolean {
  if (!buckets) return false
  const fused = setup.functions[fn]?.buckets.filter((bucket) => app.buckets?.[bucket]?.fusible) ?? []
  return routeOf(setup, fn, to, 'send') === 'remote' || buckets.some((bucket) => !fused.includes(bucket))
}
