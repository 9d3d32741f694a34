import { type InvocationRecord, RECORD_VERSION, type Span, spanId } from 'fusionize/record'
import type { Mode, Route } from 'fusionize/setup'
import type { Program } from './program.js'
import type { Frame, Invocation } from './state.js'

/** Sizes that records name: no figure of a simulation depends on them. */
const BYTES = { in: 20, out: 10, object: 100 }
/** Peak memory that records name, MB. */
const PEAK_MB = 60

/** Writes the records that the platform would write. One per simulation. */
export class Recorder {
  private firings = 0

  constructor(
    private readonly program: Program,
    private readonly app: string,
    private readonly setup: string,
    private readonly epochMs: number,
    private readonly forcedCold: boolean,
  ) {}

  begin(inv: Invocation): void {
    const { fn, mode, number, request, sandbox } = inv
    const record: InvocationRecord = {
      v: RECORD_VERSION,
      app: this.app,
      setup: this.setup,
      function: fn.name,
      task: this.nameOf(inv.task),
      sandbox: `${sandbox?.fn.name}-${sandbox?.number}`,
      invocation: `i${number}`,
      session: `s${request + 1}`,
      trace: (request + 1).toString(16).padStart(32, '0'),
      span: rootOf(inv),
      parent: inv.parentSpan,
      // As a handler writes it, which an item of a map reaches as a call.
      mode: mode === 'map' ? 'call' : mode,
      attempt: 1,
      cold: inv.coldMs < 0 ? null : inv.coldMs,
      start: this.epochMs + inv.start,
      reply: 0,
      wall: 0,
      cpu: 0,
      peakMb: PEAK_MB,
      memory: fn.memoryMb,
      concurrent: sandbox?.active ?? 1,
      spans: [],
    }
    if (inv.coldMs >= 0 && this.forcedCold) record.coldKind = 'forced'
    if (inv.fired) record.fired = { ...inv.fired, waitMs: inv.fired.waitMs + inv.start - inv.deliveredAt }
    inv.record = record
  }

  /** The id that a callee names as its parent. */
  idOf(caller: Frame, span: number): string {
    return spanId(rootOf(caller.inv), span)
  }

  /** Returns the number of the span. */
  open(inv: Invocation, parent: number, task: number, mode: Mode, route: Route, now: number): number {
    const spans = inv.record?.spans as Span[]
    const start = now - inv.start
    const span = { parent, task: this.nameOf(task), mode, route, start, end: start, cpu: 0 }
    return spans.push({ ...span, bytesIn: BYTES.in, bytesOut: BYTES.out }) - 1
  }

  /** A send that was held begins. */
  start(inv: Invocation, span: number, now: number): void {
    const held = inv.record?.spans[span]
    if (held) held.start = now - inv.start
  }

  close(inv: Invocation, span: number, now: number): void {
    const open = inv.record?.spans[span]
    if (open) open.end = now - inv.start
  }

  /** CPU of a run is in those of its callers, too, up to what was sent. */
  compute(inv: Invocation, span: number, cpuMs: number): void {
    const { record } = inv
    if (!record) return
    record.cpu = (record.cpu ?? 0) + cpuMs
    for (let s = span; s >= 0; s = record.spans[s]?.parent ?? -1) {
      const open = record.spans[s] as Span
      open.cpu = (open.cpu ?? 0) + cpuMs
      if (open.mode === 'send') break
    }
  }

  put(inv: Invocation, span: number, bucket: number): void {
    const { record } = inv
    if (!record) return
    const name = this.program.buckets[bucket] as string
    record.puts ??= []
    const known = record.puts.find((puts) => puts.span === span && puts.bucket === name)
    if (known) {
      known.count++
      known.bytes += BYTES.object
    } else record.puts.push({ span, bucket: name, count: 1, bytes: BYTES.object })
  }

  fired(bucket: number, trigger: number, waitMs: number): NonNullable<InvocationRecord['fired']> {
    const name = this.program.buckets[bucket] as string
    return { bucket: name, trigger, id: `f${++this.firings}`, objects: 1, bytes: BYTES.object, waitMs }
  }

  firedInline(inv: Invocation, span: number, bucket: number, trigger: number): void {
    if (!inv.record) return
    const { id: _, ...fired } = this.fired(bucket, trigger, 0)
    inv.record.firings ??= []
    inv.record.firings.push({ span, fired })
  }

  private nameOf(task: number): string {
    return this.program.tasks[task] as string
  }
}

/** W3C id of an invocation's root span. */
function rootOf({ number }: Invocation): string {
  return `${number.toString(16).padStart(8, '0')}00000000`
}
