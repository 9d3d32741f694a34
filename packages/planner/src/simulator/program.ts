import type { BucketInfo, FunctionSpec, FusionSetup } from 'fusionize/setup'
import { groupedTableAt, groupsOf, type Table, tableAt, tableOf } from './draws.js'
import type { Behaviour, BehaviourStep, BySize, Draw, SimulatedPlatform } from './types.js'

/** What a step of the program does. Steps that start something go on; `JOIN` waits until all that was started has ended. */
export const Op = { END: 0, CPU: 1, WAIT: 2, CALL: 3, MAP: 4, SEND: 5, PUT: 6, LANE: 7, JOIN: 8 } as const

/** Where the script of what only waits for others stands, in every program: a bundle's. */
export const WAIT_FOR_ALL = 0

/** Bits of a route: inline in this mode. */
export const INLINE = { call: 1, send: 2, map: 4 } as const

/** A function as the simulator needs it. */
export interface SimulatedFunction {
  id: number
  name: string
  memoryMb: number
  concurrency: number
  /** Pieces of its code that use one thread go one after another. */
  takesTurns: boolean
  /** Share of cores. */
  vcpus: number
  /** By task id: bits of `INLINE`. */
  routes: Uint8Array
  /** By task id: items of a remote map per invocation. */
  bundles: Int32Array
  /** By bucket id: 1 when it evaluates the bucket itself. */
  buckets: Uint8Array
  /** By task id: of calls of it, and of sends to it. */
  callMs: Table[]
  sendMs: Table[]
  putMs: Table
  startUpMs: Float64Array
}

/** A behaviour and a setup in numbers: names are ids, scripts are steps in arrays. */
export interface Program {
  tasks: string[]
  buckets: string[]
  /** By task id: where its scripts begin. */
  scripts: Int32Array[]
  /** By task id: where the scripts of each recorded request begin in `scripts`; null: nobody knows. */
  scriptGroups: (Int32Array | null)[]
  /** By task id: recorded requests that asked for it. */
  requests: (Int32Array | null)[]
  /** Those of a sandbox's first invocation. */
  firstScripts: Int32Array[]
  op: Uint8Array
  /** CPU, WAIT: index of a table of durations, or -1. CALL, MAP, SEND: task. PUT: bucket. LANE: its first step. */
  a: Int32Array
  /** CPU: threads. MAP: items. PUT: index in `starts`. */
  b: Int32Array
  /** CPU, WAIT without a table: ms. */
  x: Float64Array
  tables: Float64Array[]
  /** Tasks that a put starts, with the trigger's number. */
  starts: { task: number; trigger: number }[][]
  functions: SimulatedFunction[]
}

/**
 * @throws {RangeError} a script names a task or bucket that the app does not have, a task has no script or no function, or a figure
 *   cannot be
 */
export function compile(behaviour: Behaviour, setup: FusionSetup, platform: SimulatedPlatform): Program {
  const { app } = behaviour
  const tasks = Object.keys(app.tasks)
  const buckets = Object.keys(app.buckets ?? {})
  const compiler = new Compiler(tasks, app.buckets ?? {})
  const scripts = tasks.map((task) => {
    const known = Object.hasOwn(behaviour.tasks, task) ? behaviour.tasks[task]?.scripts : undefined
    if (!known || known.length === 0) throw new RangeError(`nothing is known of what task '${task}' does`)
    return Int32Array.from(known, (script) => compiler.script(script))
  })
  const firstScripts = tasks.map((task, id) => {
    const first = behaviour.tasks[task]?.firstScripts
    if (!first || first.length === 0) return scripts[id] as Int32Array
    return Int32Array.from(first, (script) => compiler.script(script))
  })
  const bySize = new Map<number, Delays>()
  const functions = tasks.map((task, id) => {
    const spec = Object.hasOwn(setup.functions, task) ? setup.functions[task] : undefined
    if (!spec) throw new RangeError(`the setup has no function '${task}'`)
    let delays = bySize.get(spec.memory)
    if (!delays) {
      delays = delaysAt(platform, tasks, spec.memory)
      bySize.set(spec.memory, delays)
    }
    return functionOf(id, task, spec, tasks, buckets, platform, delays)
  })
  const requests = tasks.map((task) => {
    const numbers = behaviour.requests?.[task]
    return numbers && numbers.length > 0 ? Int32Array.from(numbers) : null
  })
  const scriptGroups = tasks.map((task) => groupsByRequest(behaviour.tasks[task]?.requestOf))
  return { tasks, buckets, scripts, scriptGroups, requests, firstScripts, functions, ...compiler.done() }
}

function groupsByRequest(requestOf: readonly number[] | undefined): Int32Array | null {
  if (!requestOf || requestOf.length === 0) return null
  const lengths: number[] = []
  for (const [i, request] of requestOf.entries()) {
    if (request < (requestOf[i - 1] ?? 0)) throw new RangeError('the numbers of the recorded requests must ascend')
    while (lengths.length <= request) lengths.push(0)
    lengths[request] = (lengths[request] as number) + 1
  }
  return groupsOf(lengths)
}

function functionOf(
  id: number,
  name: string,
  spec: FunctionSpec,
  tasks: readonly string[],
  buckets: readonly string[],
  platform: SimulatedPlatform,
  { callMs, sendMs, putMs, startUpMs }: Delays,
): SimulatedFunction {
  const { memory } = spec
  const more = (platform.startUpMsPerMb ?? 0) * (platform.functionMb?.[name] ?? 0)
  const seen = platform.coresPerSandbox ?? 6
  return {
    id,
    name,
    memoryMb: memory,
    concurrency: spec.concurrency,
    // Without a word of the setup a sandbox decides; up to one core it has no pool.
    takesTurns: (platform.loop ?? 'turns') === 'turns' && (spec.parallel ?? 'loop') === 'loop',
    vcpus: platform.cpu.kind === 'none' ? seen : Math.min(seen, memory / platform.mbPerCore),
    routes: Uint8Array.from(
      tasks,
      (task) =>
        (spec.inline.call.includes(task) ? INLINE.call : 0) |
        (spec.inline.send.includes(task) ? INLINE.send : 0) |
        (spec.inline.map.includes(task) ? INLINE.map : 0),
    ),
    bundles: Int32Array.from(tasks, (task) => spec.bundle[task] ?? 1),
    buckets: Uint8Array.from(buckets, (bucket) => (spec.buckets.includes(bucket) ? 1 : 0)),
    callMs,
    sendMs,
    putMs,
    startUpMs: more === 0 ? startUpMs : startUpMs.map((ms) => ms + more),
  }
}

type Delays = Pick<SimulatedFunction, 'callMs' | 'sendMs' | 'putMs' | 'startUpMs'>

function delaysAt({ handOver, startUp }: SimulatedPlatform, tasks: readonly string[], memoryMb: number): Delays {
  const to = (known: Record<string, BySize> | undefined, any: Table) =>
    tasks.map((task) => {
      const own = known && Object.hasOwn(known, task) ? known[task] : undefined
      return own ? groupedTableAt(own, memoryMb) : any
    })
  const [call, send] = [groupedTableAt(handOver.call, memoryMb), groupedTableAt(handOver.send, memoryMb)]
  return {
    callMs: to(handOver.callTo, call),
    sendMs: to(handOver.sendTo, send),
    putMs: send,
    startUpMs: tableAt(startUp, memoryMb),
  }
}

/** Turns scripts into steps, one after another. */
class Compiler {
  private readonly op: number[] = []
  private readonly a: number[] = []
  private readonly b: number[] = []
  private readonly x: number[] = []
  private readonly tables: Float64Array[] = []
  private readonly starts: Program['starts'] = []
  private readonly ids: Map<string, number>
  private readonly bucketIds: Map<string, number>

  constructor(
    tasks: readonly string[],
    private readonly buckets: Record<string, BucketInfo>,
  ) {
    this.ids = new Map(tasks.map((task, id) => [task, id]))
    this.bucketIds = new Map(Object.keys(buckets).map((bucket, id) => [bucket, id]))
    this.add(Op.JOIN)
    this.add(Op.END)
  }

  script(steps: readonly BehaviourStep[]): number {
    // Lanes stand before the script that starts them.
    const lanes = new Map<readonly BehaviourStep[], number>()
    for (const step of steps)
      if ('parallel' in step) for (const lane of step.parallel) lanes.set(lane, this.script(lane))
    const first = this.op.length
    for (const step of steps) this.step(step, lanes)
    this.add(Op.END)
    return first
  }

  done(): Pick<Program, 'op' | 'a' | 'b' | 'x' | 'tables' | 'starts'> {
    return {
      op: Uint8Array.from(this.op),
      a: Int32Array.from(this.a),
      b: Int32Array.from(this.b),
      x: Float64Array.from(this.x),
      tables: this.tables,
      starts: this.starts,
    }
  }

  private step(step: BehaviourStep, lanes: ReadonlyMap<readonly BehaviourStep[], number>): void {
    if ('cpuMs' in step) this.duration(Op.CPU, step.cpuMs, step.threads ?? 1)
    else if ('waitMs' in step) this.duration(Op.WAIT, step.waitMs, 0)
    else if ('call' in step) for (const to of step.call) this.add(Op.CALL, this.task(to))
    else if ('send' in step) for (const to of step.send) this.add(Op.SEND, this.task(to))
    else if ('map' in step) this.add(Op.MAP, this.task(step.map), step.items)
    else if ('put' in step) for (const bucket of step.put) this.put(bucket, step.starts)
    else for (const lane of step.parallel) this.add(Op.LANE, lanes.get(lane))
    if (!('cpuMs' in step || 'waitMs' in step)) this.add(Op.JOIN)
  }

  private duration(op: number, draw: Draw, threads: number): void {
    const table = tableOf(draw)
    if (table.length === 1) this.add(op, -1, threads, table[0])
    else this.add(op, this.tables.push(table) - 1, threads)
  }

  private put(bucket: string, starts: readonly string[] | undefined): void {
    const id = this.bucketIds.get(bucket)
    if (id === undefined) throw new RangeError(`a script puts into '${bucket}', which is no bucket of the app`)
    const triggers = this.buckets[bucket]?.triggers ?? []
    const tasks = starts ?? triggers.map(({ task }) => task)
    const started = tasks.map((task, i) => {
      const trigger = triggers.findIndex((known, k) => known.task === task && (starts !== undefined || k === i))
      return { task: this.task(task), trigger: Math.max(0, trigger) }
    })
    this.add(Op.PUT, id, this.starts.push(started) - 1)
  }

  private task(name: string): number {
    const id = this.ids.get(name)
    if (id === undefined) throw new RangeError(`a script names '${name}', which is no task of the app`)
    return id
  }

  private add(op: number, a = 0, b = 0, x = 0): void {
    this.op.push(op)
    this.a.push(a)
    this.b.push(b)
    this.x.push(x)
  }
}
