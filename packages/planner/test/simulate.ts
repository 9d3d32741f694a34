import { type RequestSample, seededRandom } from '@fusionize/planner'
import { type Fired, type InvocationRecord, RECORD_VERSION, type Span, spanId } from 'fusionize/record'
import { type FusionSetup, type Mode, routeOf, setupId } from 'fusionize/setup'
import type { Step, World } from './world.js'

export interface LoadOptions {
  requests: number
  /** Ms between arrivals. */
  everyMs: number
  /** Own times vary by up to this share. @default 0 */
  noise?: number
  seed?: number
  /** Every invocation starts a sandbox. @default false */
  forceCold?: boolean
}

const OBJECT_BYTES = 100

interface Invocation {
  fn: string
  memory: number
  record: InvocationRecord
  /** When its core is free: what computes in one sandbox does so in turn. */
  coreFree: number
  open: number
  onDone: () => void
}

type Done = (at: number) => void

/**
 * Runs a load on a setup in virtual time and reports what the real platform would: one core per sandbox in proportion to its memory, sends after
 * the reply, hand-overs half before and half after the callee. Deterministic.
 */
export function simulate(
  world: World,
  setup: FusionSetup,
  load: LoadOptions,
): { samples: RequestSample[]; records: InvocationRecord[] } {
  const { requests, everyMs, noise = 0, seed = 1, forceCold = false } = load
  const random = seededRandom(seed)
  const records: InvocationRecord[] = []
  const samples: RequestSample[] = []
  const clock = new Clock()
  const id = setupId(setup)
  let count = 0
  let firings = 0

  const invoke = (
    fn: string,
    mode: Mode,
    session: number,
    parent: string | null,
    at: number,
    onReply: Done,
    fired?: Fired,
  ) => {
    const memory = setup.functions[fn]?.memory ?? 128
    const coldMs = forceCold ? world.coldMs(memory) : 0
    const number = ++count
    const start = at + coldMs
    const record: InvocationRecord = {
      v: RECORD_VERSION,
      app: world.app.name,
      setup: id,
      function: fn,
      task: fn,
      sandbox: `${fn}-${number}`,
      invocation: `i${number}`,
      session: `s${session}`,
      trace: session.toString(16).padStart(32, '0'),
      span: `${number.toString(16).padStart(8, '0')}00000000`,
      parent,
      mode: mode === 'map' ? 'call' : mode,
      attempt: 1,
      cold: forceCold ? coldMs : null,
      start,
      reply: 0,
      wall: 0,
      cpu: 0,
      peakMb: 60,
      memory,
      concurrent: 1,
      spans: [],
    }
    if (fired) record.fired = { ...fired, waitMs: fired.waitMs + coldMs }
    if (forceCold) record.coldKind = 'forced'
    const invocation: Invocation = { fn, memory, record, coreFree: start, open: 0, onDone: () => records.push(record) }
    const span = openSpan(invocation, -1, fn, mode === 'send' ? 'send' : 'call', 'inline', start)
    clock.at(start, () =>
      runUnit(invocation, span, fn, start, session, (end) => {
        record.reply = end - start
        onReply(end)
      }),
    )
  }

  /** A task and, once it is answered, the inline sends that it and its inline callees made. */
  const runUnit = (inv: Invocation, span: number, task: string, at: number, session: number, onEnd: Done) => {
    const held: { span: number; task: string }[] = []
    inv.open++
    runTask(inv, span, task, at, session, held, (end) => {
      onEnd(end)
      for (const send of held) {
        const spanOfSend = inv.record.spans[send.span] as Span
        spanOfSend.start = end - inv.record.start
        runUnit(inv, send.span, send.task, end, session, () => {})
      }
      inv.open--
      inv.record.wall = Math.max(inv.record.wall, end - inv.record.start)
      if (inv.open === 0) inv.onDone()
    })
  }

  const runTask = (
    inv: Invocation,
    span: number,
    task: string,
    at: number,
    session: number,
    held: { span: number; task: string }[],
    onEnd: Done,
  ) => {
    const factor = 1 + noise * (random() - 0.5)
    const steps = world.scripts[task] ?? []
    const close = (end: number) => {
      const own = inv.record.spans[span] as Span
      own.end = end - inv.record.start
      onEnd(end)
    }
    const next = (i: number, now: number): void => {
      const step = steps[i]
      if (!step) {
        close(now)
        return
      }
      const then = (end: number) => next(i + 1, end)
      if ('cpuMs' in step) {
        compute(inv, span, step.cpuMs * factor, now, then)
        return
      }
      if ('waitMs' in step) {
        const end = now + step.waitMs * factor
        clock.at(end, () => then(end))
        return
      }
      const calls = callsOf(step)
      const buckets = 'put' in step ? step.put : []
      let open = calls.length + buckets.length
      let latest = now
      const one = (end: number) => {
        latest = Math.max(latest, end)
        if (--open === 0) then(latest)
      }
      for (const { to, mode } of calls) startCall(inv, span, to, mode, now, session, held, one)
      for (const bucket of buckets) put(inv, span, bucket, now, session, held, one)
    }
    next(0, at)
  }

  const startCall = (
    inv: Invocation,
    parent: number,
    to: string,
    mode: Mode,
    at: number,
    session: number,
    held: { span: number; task: string }[],
    onEnd: Done,
  ) => {
    const route = routeOf(setup, inv.fn, to, mode)
    const span = openSpan(inv, parent, to, mode, route, at)
    if (route === 'inline') {
      if (mode !== 'send') return runTask(inv, span, to, at, session, held, onEnd)
      held.push({ span, task: to })
      return clock.at(at, () => onEnd(at))
    }
    const caller = spanId(inv.record.span, span)
    const handOver = world.handOverMs(mode, inv.memory)
    const end = (now: number) => {
      ;(inv.record.spans[span] as Span).end = now - inv.record.start
      onEnd(now)
    }
    if (mode === 'send') {
      invoke(to, 'send', session, caller, at + handOver, () => {})
      return clock.at(at + handOver, () => end(at + handOver))
    }
    invoke(to, mode, session, caller, at + handOver / 2, (reply) =>
      clock.at(reply + handOver / 2, () => end(reply + handOver / 2)),
    )
  }

  /** Every object starts the bucket's tasks: in this function, if it evaluates the bucket, else once it was handed over. */
  const put = (
    inv: Invocation,
    span: number,
    bucket: string,
    at: number,
    session: number,
    held: { span: number; task: string }[],
    onEnd: Done,
  ) => {
    inv.record.puts ??= []
    const known = inv.record.puts.find((x) => x.span === span && x.bucket === bucket)
    if (known) {
      known.count++
      known.bytes += OBJECT_BYTES
    } else inv.record.puts.push({ span, bucket, count: 1, bytes: OBJECT_BYTES })
    const spec = setup.functions[inv.fn]
    const fused = spec?.buckets.includes(bucket) === true
    const handOver = fused ? 0 : world.handOverMs('send', inv.memory)
    for (const [trigger, { task }] of (world.app.buckets?.[bucket]?.triggers ?? []).entries()) {
      const fired = { bucket, trigger, id: `f${++firings}`, objects: 1, bytes: OBJECT_BYTES, waitMs: handOver }
      if (fused && spec.inline.send.includes(task)) {
        const started = openSpan(inv, span, task, 'send', 'inline', at)
        held.push({ span: started, task })
        inv.record.firings ??= []
        inv.record.firings.push({ span: started, fired })
      } else invoke(task, 'send', session, spanId(inv.record.span, span), at + handOver, () => {}, fired)
    }
    clock.at(at + handOver, () => onEnd(at + handOver))
  }

  const compute = (inv: Invocation, span: number, cpuMs: number, at: number, then: Done) => {
    const start = Math.max(at, inv.coreFree)
    const end = start + cpuMs / Math.min(1, inv.memory / world.facts.mbPerCore)
    inv.coreFree = end
    for (let s = span; s >= 0; s = inv.record.spans[s]?.parent ?? -1) {
      const open = inv.record.spans[s] as Span
      open.cpu = (open.cpu ?? 0) + cpuMs
      if (open.mode === 'send') break
    }
    clock.at(end, () => then(end))
  }

  const entry = Object.keys(world.scripts)[0] ?? ''
  for (let i = 0; i < requests; i++) {
    const arrival = 1_000_000 + i * everyMs
    invoke(entry, 'call', i + 1, null, arrival, (end) => {
      samples[i] = { startMs: i * everyMs, latencyMs: end - arrival, session: `s${i + 1}` }
    })
  }
  clock.run()
  return { samples, records }
}

function openSpan(inv: Invocation, parent: number, task: string, mode: Mode, route: Span['route'], at: number): number {
  const start = at - inv.record.start
  return inv.record.spans.push({ parent, task, mode, route, start, end: start, bytesIn: 20, bytesOut: 10, cpu: 0 }) - 1
}

function callsOf(step: Step): { to: string; mode: Mode }[] {
  if ('call' in step) return step.call.map((to) => ({ to, mode: 'call' }))
  if ('send' in step) return step.send.map((to) => ({ to, mode: 'send' }))
  return 'map' in step ? Array.from({ length: step.items }, () => ({ to: step.map, mode: 'map' as const })) : []
}

/** Virtual time: what is due earliest runs first; of equals, what was asked for first. */
class Clock {
  private readonly heap: { at: number; order: number; run: () => void }[] = []
  private order = 0

  at(time: number, run: () => void): void {
    const { heap } = this
    heap.push({ at: time, order: this.order++, run })
    for (let i = heap.length - 1; i > 0; ) {
      const up = (i - 1) >> 1
      if (!this.before(i, up)) break
      this.swap(i, up)
      i = up
    }
  }

  run(): void {
    for (let next = this.pop(); next; next = this.pop()) next.run()
  }

  private pop() {
    const { heap } = this
    const top = heap[0]
    const last = heap.pop()
    if (!last || heap.length === 0) return top
    heap[0] = last
    for (let i = 0; ; ) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && this.before(child, least)) least = child
      if (least === i) return top
      this.swap(i, least)
      i = least
    }
  }

  private before(a: number, b: number): boolean {
    const [x, y] = [this.heap[a], this.heap[b]]
    return x !== undefined && y !== undefined && (x.at < y.at || (x.at === y.at && x.order < y.order))
  }

  private swap(a: number, b: number): void {
    const { heap } = this
    const [x, y] = [heap[a], heap[b]]
    if (x && y) {
      heap[a] = y
      heap[b] = x
    }
  }
}
