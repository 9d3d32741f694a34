import { type App, artifactTasks, directModes, entryTasks, type FusionSetup, routeOf } from 'fusionize/setup'
import { aheadOf } from './setup-options.js'

/** What a function of a setup does that resources or permissions are needed for. All lists are sorted. */
export interface Needs {
  tasks: string[]
  /** Functions that it calls, maps over, sends to or has start ahead; itself, where work that it begins may have to be run again. */
  callees: string[]
  /** Ms after a request's arrival by which it has a function start ahead, by function. */
  ahead: Record<string, number>
  /** It may be called by somebody who waits for the answer. */
  isCalled: boolean
  /** It may run work that nobody waits for, after its answer has left. */
  leavesWork: boolean
  /** The app has buckets: then every function may step their machines, end a session, and start what a trigger starts. */
  usesBuckets: boolean
}

/**
 * Tasks of an app with buckets that any of its functions may have to start, whoever put what they are started with: those of triggers; and
 * what a promise runs again, which somebody has sent to, or began the session with. Sorted; empty in an app without buckets.
 */
export function startedOf(app: App): string[] {
  if (!app.buckets) return []
  const byTriggers = Object.values(app.buckets).flatMap(({ triggers }) => triggers.map(({ task }) => task))
  const sentTo = app.edges.flatMap((edge) => (directModes(edge).includes('send') ? edge.to : []))
  return [...new Set([...byTriggers, ...sentTo, ...entryTasks(app)])].sort()
}

/** The needs of the functions of a setup, by function. @param setup with no buckets in its functions: they are evaluated elsewhere */
export function needsOf(app: App, setup: FusionSetup, functions: readonly string[]): Map<string, Needs> {
  const calls = new Map(functions.map((fn) => [fn, remoteCalls(app, setup, fn)]))
  const entries = entryTasks(app)
  const started = startedOf(app).filter((fn) => functions.includes(fn))
  return new Map(
    functions.map((fn) => {
      const tasks = artifactTasks(app, setup, fn)
      const spec = setup.functions[fn]
      const waitsForIt = (edges: RemoteCalls) => edges.waiting.has(fn)
      const leavesWork = (spec?.inline.send.length ?? 0) > 0
      const ahead = aheadOf(app, setup, fn, functions)
      const called = [...(calls.get(fn)?.all ?? []), ...(leavesWork ? [fn] : [])]
      const callees = new Set([...called, ...started, ...Object.keys(ahead)])
      const needs: Needs = {
        tasks,
        callees: [...callees].sort(),
        ahead,
        isCalled: entries.includes(fn) || [...calls.values()].some(waitsForIt),
        leavesWork,
        usesBuckets: Object.keys(app.buckets ?? {}).length > 0,
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
    if (remote.length > 0) found.all.add(edge.to)
    if (remote.some((mode) => mode !== 'send')) found.waiting.add(edge.to)
  }
  return found
}
