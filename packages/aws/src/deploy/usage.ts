import { type App, directModes, type FusionSetup, type Mode, routeOf } from 'fusionize/setup'

/** What is known of how an app behaves. */
export interface UsageProfile {
  /** Where it comes from, in words: `1200 requests of the last run of optimize`. */
  source: string
  /** Calls of a run, by `<from> <mode> <to>`. */
  callsPerRun: Record<string, number>
  /** What a run takes by itself, ms, by task. */
  ownMs: Record<string, number>
}

/** What requests make functions do. */
export interface Usage {
  /** By function, per request to the app. */
  invocations: Record<string, number>
  /** Of an invocation, ms, by function: what its tasks take, and what it waits for others. */
  durationMs: Record<string, number>
  /** Sends that run in their sender's invocation, per invocation, by function. */
  inlineSends: Record<string, number>
  /** Objects put into buckets, per request. */
  puts: number
  /** What was taken for granted, in words. */
  assumed: string[]
}

/** What a task takes by itself of which nothing is known, ms. */
const ASSUMED_OWN_MS = 10
/** Functions visited at most: of a graph with more ways through it, the first ways count. */
const MOST_VISITS = 100_000

/** Follows requests through a setup: from each entry equally often, over the calls that its source shows. */
export function usageOf(
  app: App,
  setup: FusionSetup,
  functions: readonly string[],
  entries: readonly string[],
  profile?: UsageProfile,
): Usage {
  const known = (record: Record<string, number> | undefined, key: string) =>
    record && Object.hasOwn(record, key) ? record[key] : undefined
  const untimed = new Set<string>()
  const ownMs = (task: string) => {
    const ms = known(profile?.ownMs, task)
    if (ms === undefined) untimed.add(task)
    return ms ?? ASSUMED_OWN_MS
  }
  const callsOf = (from: string, mode: Mode, to: string) =>
    profile ? (known(profile.callsPerRun, `${from} ${mode} ${to}`) ?? 0) : 1
  const bodies = new Map<string, Body>(functions.map((fn) => [fn, bodyOf(app, setup, fn, ownMs, callsOf)]))
  const durations = new Map<string, number>()
  function duration(fn: string): number {
    const done = durations.get(fn)
    if (done !== undefined) return done
    // who calls back finds this: recursion is not followed
    durations.set(fn, 0)
    const { calls, ms } = bodies.get(fn) as Body
    const all = [...calls].reduce((sum, [to, { waits }]) => sum + waits * (waits > 0 ? duration(to) : 0), ms)
    durations.set(fn, all)
    return all
  }
  const invocations = new Map<string, number>(functions.map((fn) => [fn, 0]))
  let visits = 0
  let puts = 0
  function visit(fn: string, times: number, path: readonly string[]): void {
    const body = bodies.get(fn)
    if (!body || path.includes(fn) || times === 0 || ++visits > MOST_VISITS) return
    invocations.set(fn, (invocations.get(fn) ?? 0) + times)
    puts += times * body.puts
    for (const [to, { times: each }] of body.calls) visit(to, times * each, [...path, fn])
  }
  for (const fn of entries) visit(fn, 1 / entries.length, [])
  const record = (of: (fn: string) => number) => Object.fromEntries(functions.map((fn) => [fn, of(fn)]))
  return {
    invocations: record((fn) => invocations.get(fn) ?? 0),
    durationMs: record(duration),
    inlineSends: record((fn) => bodies.get(fn)?.inlineSends ?? 0),
    puts,
    assumed: [
      profile
        ? `calls and times are those of ${profile.source}`
        : 'each call in the source happens once in each run; recursion is not followed',
      ...(entries.length > 1 ? [`each of the ${entries.length} entries gets as many requests`] : []),
      ...(untimed.size > 0
        ? [
            `nothing is known of the time of ${profile ? [...untimed].sort().join(', ') : 'any task'}: ${ASSUMED_OWN_MS} ms each`,
          ]
        : []),
      'calls come one after the other, items of a map side by side',
    ],
  }
}

/** What one invocation of a function does. */
interface Body {
  /** Its tasks' own time, ms. */
  ms: number
  /** Invocations of other functions; of those `waits` one after the other. */
  calls: Map<string, { times: number; waits: number }>
  inlineSends: number
  puts: number
}

function bodyOf(
  app: App,
  setup: FusionSetup,
  fn: string,
  ownMs: (task: string) => number,
  callsOf: (from: string, mode: Mode, to: string) => number,
): Body {
  const body: Body = { ms: 0, calls: new Map(), inlineSends: 0, puts: 0 }
  let visits = 0
  function run(task: string, times: number, path: readonly string[]): void {
    if (path.includes(task) || times === 0 || ++visits > MOST_VISITS) return
    body.ms += times * ownMs(task)
    for (const edge of app.edges.filter(({ from }) => from === task))
      for (const mode of edge.modes) {
        const count = times * callsOf(task, mode, edge.to)
        if (edge.buckets && mode === 'send') body.puts += count
        // What a bucket starts has an invocation of its own.
        if (directModes(edge).includes(mode) && routeOf(setup, fn, edge.to, mode) === 'inline') {
          if (mode === 'send') body.inlineSends += count
          run(edge.to, count, [...path, task])
          continue
        }
        const call = body.calls.get(edge.to) ?? { times: 0, waits: 0 }
        call.times += count
        call.waits += mode === 'call' ? count : mode === 'map' ? Math.min(1, count) : 0
        body.calls.set(edge.to, call)
      }
  }
  run(fn, 1, [])
  return body
}
