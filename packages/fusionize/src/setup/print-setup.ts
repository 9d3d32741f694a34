import { normalizeSetup } from './canonical.js'
import { effectiveSetup, entryTasks, inlineModes, possibleCalls } from './reach.js'
import type { App, FunctionSpec, FusionSetup, Mode, TaskName } from './types.js'
import { modes } from './types.js'

/**
 * Writes a setup in the notation for people. `parseSetup` reads it back.
 *
 *     (analyze-sensor, check-sensor, store-event | frames)@768-(check-sound, check-level:call+send)@512[concurrency 4, threads]
 *
 * One group a function, joined by `-`: in parentheses the function's own task, then the tasks that it runs inline, after `|` the
 * buckets whose triggers it evaluates itself; after `@` its memory in MB. All other calls are remote, all other buckets the platform's.
 *
 * - `check-level` is inline in every mode; `check-level:call+send` only when called and sent to (`call`, `send`, `map`). The
 *   function's own task listed again is inline for calls that come back to it. What a bucket starts is a `send`.
 * - `[…]` holds what differs from the defaults: `concurrency 4` requests at a time per sandbox · `loop`, `threads` or
 *   `processes` for the items of maps · `bundle extract 10` items per invocation of a remote map · `pass extract store` (or `local`, `direct`) for
 *   large data to `extract` · `prewarm collect 250ms` after a request's arrival.
 *
 * Without `app` the text says everything: reading it gives an equal setup. With `app` it says what people want to see: functions
 * that must exist, entries first, and "every mode" means every mode in which the source calls the task; reading it with the
 * same app gives a setup of equal effect (`effectiveSetup`).
 */
export function printSetup(setup: FusionSetup, app?: App): string {
  const { functions } = normalizeSetup(app ? effectiveSetup(app, setup) : setup)
  const entries = app ? entryTasks(app) : []
  const names = Object.keys(functions)
  const ordered = [...names.filter((x) => entries.includes(x)), ...names.filter((x) => !entries.includes(x))]
  return ordered
    .map((fn) => printGroup(fn, functions[fn] as FunctionSpec, (to) => (app ? callModes(app, setup, fn, to) : modes)))
    .join('-')
}

function callModes(app: App, setup: FusionSetup, fn: TaskName, to: TaskName): Mode[] {
  const calls = possibleCalls(app, setup, fn).filter((call) => call.to === to)
  return modes.filter((mode) => calls.some((call) => call.modes.includes(mode)))
}

function printGroup(fn: TaskName, spec: FunctionSpec, every: (to: TaskName) => readonly Mode[]): string {
  const { call, send, map } = spec.inline
  const members = [...new Set([...call, ...send, ...map])].sort().map((to) => {
    const taken = inlineModes(spec, to)
    return taken.length === every(to).length ? to : `${to}:${taken.join('+')}`
  })
  const options = printOptions(spec)
  const buckets = spec.buckets.length > 0 ? ` | ${spec.buckets.join(', ')}` : ''
  return `(${[fn, ...members].join(', ')}${buckets})@${spec.memory}${options.length > 0 ? `[${options.join(', ')}]` : ''}`
}

function printOptions(spec: FunctionSpec): string[] {
  return [
    ...(spec.concurrency === 1 ? [] : [`concurrency ${spec.concurrency}`]),
    ...(spec.parallel ? [spec.parallel] : []),
    ...Object.entries(spec.bundle).map(([task, items]) => `bundle ${task} ${items}`),
    ...Object.entries(spec.passing).map(([task, how]) => `pass ${task} ${how}`),
    ...Object.entries(spec.prewarm).map(([task, ms]) => `prewarm ${task} ${ms}ms`),
  ]
}
