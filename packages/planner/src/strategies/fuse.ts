import {
  type App,
  artifactTasks,
  type BucketName,
  type Constraints,
  defaultSpec,
  type FunctionSpec,
  type FusionSetup,
  type Mode,
  type TaskName,
} from 'fusionize/setup'
import { allowedSizes, moveIntoBounds } from './memory.js'

export interface Call {
  from: TaskName
  to: TaskName
  mode: Mode
  /** Of a send: the bucket in which `from` puts what starts `to`. */
  bucket?: BucketName
}

export interface Fused {
  setup: FusionSetup
  /** Calls that should have been inline but for a constraint, which is named. */
  refused: { host: TaskName; call: Call; why: string }[]
}

/**
 * The setup in which every function takes inline all calls wanted, and those that the user wants together, as far as constraints allow. A
 * send through a bucket is inline where the function evaluates the bucket itself; not through one that the platform must evaluate.
 * @param memory MB of a function, before its bounds
 * @param wanted whether a call should be inline when its caller runs in a function
 */
export function fuse(
  app: App,
  constraints: Constraints,
  ladder: readonly number[],
  memory: (fn: TaskName) => number,
  wanted: (call: Call, host: TaskName) => boolean,
): Fused {
  const fused: Fused = { setup: { functions: {} }, refused: [] }
  const clash = clashes(app, constraints)
  for (const host of Object.keys(app.tasks)) {
    const spec = defaultSpec(memory(host))
    fused.setup.functions[host] = spec
    const inside = new Set([host])
    for (const from of inside)
      for (const call of callsOf(app, from)) {
        if (!mayBeInline(app, call)) continue
        if (!wanted(call, host) && !isTogether(constraints, call)) continue
        const why = tryInline(spec, call, () => objection(app, constraints, ladder, fused.setup, host, clash))
        if (why === undefined) inside.add(call.to)
        else fused.refused.push({ host, call, why })
      }
  }
  return fused
}

/** A setup as far as constraints allow it: the same routes but for those refused, and together what the user wants together. */
export function allowed(app: App, constraints: Constraints, ladder: readonly number[], setup: FusionSetup): Fused {
  const sizeOf = (fn: TaskName) => setup.functions[fn]?.memory ?? ladder[0] ?? 128
  const isInline = ({ to, mode }: Call, host: TaskName) => setup.functions[host]?.inline[mode].includes(to) === true
  const { setup: routed, refused } = fuse(app, constraints, ladder, sizeOf, isInline)
  const functions = Object.fromEntries(
    Object.entries(routed.functions).map(([fn, { inline, buckets, memory }]) => [
      fn,
      { ...(setup.functions[fn] ?? defaultSpec(memory)), inline, buckets, memory },
    ]),
  )
  return { setup: moveIntoBounds(app, constraints, ladder, { functions }), refused }
}

/** The calls in a task's source; of what it sends through buckets, one for each bucket. */
export function callsOf(app: App, from: TaskName): Call[] {
  return app.edges
    .filter((edge) => edge.from === from)
    .flatMap(({ to, modes, buckets }) =>
      modes.flatMap((mode): Call[] =>
        mode === 'send' && buckets ? buckets.map((bucket) => ({ from, to, mode, bucket })) : [{ from, to, mode }],
      ),
    )
}

/** False only for sends through a bucket that the platform must evaluate. */
export function mayBeInline(app: App, { bucket }: Call): boolean {
  return bucket === undefined || app.buckets?.[bucket]?.fusible === true
}

/** Adds the call to the inline table, with its bucket, and takes both out again if there is an objection, which it returns. */
function tryInline(
  spec: FunctionSpec,
  { to, mode, bucket }: Call,
  objection: () => string | undefined,
): string | undefined {
  const before = { inline: spec.inline[mode], buckets: spec.buckets }
  const added = (list: readonly string[], name: string) => (list.includes(name) ? [...list] : [...list, name].sort())
  if (before.inline.includes(to) && (bucket === undefined || before.buckets.includes(bucket))) return undefined
  spec.inline[mode] = added(before.inline, to)
  if (bucket !== undefined) spec.buckets = added(before.buckets, bucket)
  const why = objection()
  if (why === undefined) return undefined
  spec.inline[mode] = before.inline
  spec.buckets = before.buckets
  return why
}

/** The tasks in a function, with all that the buckets which it evaluates may start. */
function contents(app: App, setup: FusionSetup, host: TaskName): TaskName[] {
  const started = (setup.functions[host]?.buckets ?? []).flatMap((bucket) => app.buckets?.[bucket]?.triggers ?? [])
  return [...new Set([...artifactTasks(app, setup, host), ...started.map(({ task }) => task)])]
}

function objection(
  app: App,
  constraints: Constraints,
  ladder: readonly number[],
  setup: FusionSetup,
  host: TaskName,
  clash: (a: TaskName, b: TaskName) => string | undefined,
): string | undefined {
  const inside = contents(app, setup, host)
  for (const [i, a] of inside.entries())
    for (const b of inside.slice(i + 1)) {
      const why = clash(a, b)
      if (why !== undefined) return why
    }
  return allowedSizes(app, constraints, ladder, setup, host).length > 0
    ? undefined
    : `no memory size suits ${inside.join(', ')} at once`
}

/** Whether the user wants a call inline. */
export function isTogether({ together = [] }: Constraints, { from, to }: Pick<Call, 'from' | 'to'>): boolean {
  return from !== to && together.some((group) => group.includes(from) && group.includes(to))
}

/** Why two tasks may not share a sandbox. */
export function clashes(app: App, constraints: Constraints): (a: TaskName, b: TaskName) => string | undefined {
  const { apart = [], zones = {}, isolate = [] } = constraints
  const alone = (task: TaskName) => app.tasks[task]?.isolate === true || isolate.includes(task)
  const zoneOf = (task: TaskName) => Object.keys(zones).find((zone) => zones[zone]?.includes(task))
  return (a, b) => {
    if (alone(a)) return `${a} is isolated`
    if (alone(b)) return `${b} is isolated`
    if (apart.some((group) => group.includes(a) && group.includes(b))) return `${a} and ${b} must be apart`
    const [one, other] = [zoneOf(a), zoneOf(b)]
    if (one !== undefined && other !== undefined && one !== other)
      return `${a} is in zone ${one}, ${b} in zone ${other}`
    return undefined
  }
}
