import { normalizeSetup, sortedSet } from './canonical.js'
import { directModes, fusedOf } from './fused-buckets.js'
import { printSetup } from './print-setup.js'
import { artifactTasks, effectiveSetup, specOf } from './reach.js'
import type { App, BucketName, FunctionSpec, FusionSetup, Mode, Route, TaskName } from './types.js'
import { modes } from './types.js'

/** One difference between two setups; `text` says it in words. */
export interface SetupChange {
  kind: 'function' | 'memory' | 'route' | 'bundle' | 'bucket' | 'concurrency' | 'parallel' | 'passing' | 'prewarm'
  function: TaskName
  /** The task that the change is about, of a route, bundle, passing or prewarm. */
  to?: TaskName
  /** Of a route. */
  mode?: Mode
  text: string
}

/**
 * What changes from one setup to the next, in words, by function, those that come and go last: `check-sound now calls check-level inline`,
 * `analyze-sensor: memory 128 → 768 MB`. Without `app` it is empty exactly when the setups are equal. With `app` it compares
 * effective forms (functions that must exist, routes that can be taken) and names the tasks that make a call.
 */
export function diff(before: FusionSetup, after: FusionSetup, app?: App): string[] {
  return changes(before, after, app).map((change) => change.text)
}

/** `diff` as data. */
export function changes(before: FusionSetup, after: FusionSetup, app?: App): SetupChange[] {
  const [old, now] = [before, after].map((setup) => normalizeSetup(app ? effectiveSetup(app, setup) : setup)) as [
    FusionSetup,
    FusionSetup,
  ]
  const functions = [...new Set([...Object.keys(old.functions), ...Object.keys(now.functions)])].sort()
  const kept = (fn: TaskName) => Boolean(specOf(old, fn) && specOf(now, fn))
  const inOrder = [...functions.filter(kept), ...functions.filter((fn) => !kept(fn))]
  return inOrder.flatMap((fn) => functionChanges(fn, old, now, app))
}

function functionChanges(fn: TaskName, before: FusionSetup, after: FusionSetup, app?: App): SetupChange[] {
  const old = specOf(before, fn)
  const now = specOf(after, fn)
  if (!now) return [{ kind: 'function', function: fn, text: `${fn} no longer needs a function of its own` }]
  if (!old) {
    const group = printSetup({ functions: { [fn]: now } })
    return [{ kind: 'function', function: fn, text: `${fn} now has a function of its own: ${group}` }]
  }
  return [
    ...routeChanges(fn, before, after, app),
    ...settingChanges(fn, old, now),
    ...listed(old.buckets, now.buckets).map(([bucket, isNew]): SetupChange => {
      const text = `${fn} ${isNew ? 'now evaluates' : 'no longer evaluates'} the triggers of bucket ${bucket}`
      return { kind: 'bucket', function: fn, text }
    }),
    ...entryChanges(
      'bundle',
      fn,
      old,
      now,
      (to, items = 1) => `maps over ${to} with ${items} item${items === 1 ? '' : 's'} per invocation`,
    ),
    ...entryChanges('passing', fn, old, now, (to, how = 'payload') => `hands data to ${to} by ${how}`),
    ...entryChanges('prewarm', fn, old, now, (to, ms) =>
      ms === undefined ? `does not prewarm ${to}` : `prewarms ${to} ${ms} ms after a request's arrival`,
    ),
  ]
}

function routeChanges(fn: TaskName, before: FusionSetup, after: FusionSetup, app?: App): SetupChange[] {
  const inline = (setup: FusionSetup, mode: Mode) => specOf(setup, fn)?.inline[mode] ?? []
  return modes.flatMap((mode) =>
    listed(inline(before, mode), inline(after, mode)).map(([to, isInline]): SetupChange => {
      const setup = isInline ? after : before
      const callers = callersOf(fn, to, mode, setup, app)
      const text =
        callers.length > 0 || !app
          ? routeText(fn, callers, to, mode, isInline)
          : startText(fn, startersOf(fn, to, setup, app), to, isInline)
      return { kind: 'route', function: fn, to, mode, text }
    }),
  )
}

function callersOf(fn: TaskName, to: TaskName, mode: Mode, setup: FusionSetup, app?: App): TaskName[] {
  if (!app) return [fn]
  const inside = artifactTasks(app, setup, fn)
  return app.edges
    .filter((x) => x.to === to && directModes(x).includes(mode) && inside.includes(x.from))
    .map((x) => x.from)
}

/** The buckets that start a task inside a function. */
function startersOf(fn: TaskName, to: TaskName, setup: FusionSetup, app: App): BucketName[] {
  const inside = artifactTasks(app, setup, fn)
  const edges = app.edges.filter((edge) => edge.to === to && inside.includes(edge.from))
  return sortedSet(edges.flatMap((edge) => fusedOf(app, setup, fn, edge)))
}

function startText(fn: TaskName, buckets: BucketName[], to: TaskName, isInline: boolean): string {
  const place = isInline ? `now runs in ${fn}` : `no longer runs in ${fn}`
  return `${to} ${place} when bucket ${buckets.join(' or ')} starts it`
}

function routeText(fn: TaskName, callers: TaskName[], to: TaskName, mode: Mode, isInline: boolean): string {
  const route: Route = isInline ? 'inline' : 'remote'
  const one = callers.length < 2
  const verbs = {
    call: one ? 'calls' : 'call',
    send: one ? 'sends to' : 'send to',
    map: one ? 'maps over' : 'map over',
  }
  const place = callers.every((caller) => caller === fn) ? '' : ` (in ${fn})`
  const how = { inline: 'inline', remote: 'remotely' }[route]
  return `${callers.join(' and ') || fn}${place} now ${verbs[mode]} ${to} ${how}`
}

function settingChanges(fn: TaskName, old: FunctionSpec, now: FunctionSpec): SetupChange[] {
  const found: SetupChange[] = []
  if (old.memory !== now.memory)
    found.push({ kind: 'memory', function: fn, text: `${fn}: memory ${old.memory} → ${now.memory} MB` })
  if (old.concurrency !== now.concurrency) {
    const text = `${fn}: ${old.concurrency} → ${now.concurrency} requests at a time per sandbox`
    found.push({ kind: 'concurrency', function: fn, text })
  }
  if (old.parallel !== now.parallel)
    found.push({ kind: 'parallel', function: fn, text: `${fn}: items of maps ${itemsText(old)} → ${itemsText(now)}` })
  return found
}

function itemsText({ parallel }: FunctionSpec): string {
  return parallel ?? 'where they are faster'
}

function entryChanges<K extends 'bundle' | 'passing' | 'prewarm'>(
  kind: K,
  fn: TaskName,
  old: FunctionSpec,
  now: FunctionSpec,
  words: (to: TaskName, value: FunctionSpec[K][string] | undefined) => string,
): SetupChange[] {
  const value = (spec: FunctionSpec, to: TaskName): FunctionSpec[K][string] | undefined =>
    Object.hasOwn(spec[kind], to) ? (spec[kind] as Record<TaskName, FunctionSpec[K][string]>)[to] : undefined
  return [...new Set([...Object.keys(old[kind]), ...Object.keys(now[kind])])]
    .sort()
    .filter((to) => value(old, to) !== value(now, to))
    .map((to) => ({ kind, function: fn, to, text: `${fn} now ${words(to, value(now, to))}` }))
}

/** Names in only one of two lists, with whether it is the second. */
function listed(old: readonly string[], now: readonly string[]): [name: string, isNew: boolean][] {
  return [
    ...old.filter((name) => !now.includes(name)).map((name): [string, boolean] => [name, false]),
    ...now.filter((name) => !old.includes(name)).map((name): [string, boolean] => [name, true]),
  ]
}
