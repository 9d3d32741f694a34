import { hex8 } from './hex.js'
import type { Mode, Route } from './setup/types.js'

/** Version of the record's schema; a reader refuses a newer one. */
export const RECORD_VERSION = 1

/** One task run (or, for a remote route, the caller's side of one call) inside an invocation. Times in ms from the invocation's `start`. */
export interface Span {
  /** Index of the enclosing span in `spans`, -1 for the root. */
  parent: number
  task: string
  mode: Mode
  /** `remote`: this span is the caller's wait; the callee reports its own invocation. */
  route: Route
  start: number
  end: number
  /** Size of the input and of the output as JSON text or bytes. */
  bytesIn: number
  bytesOut: number
  /** CPU ms of the process between start and end, children included; only in sampled invocations. */
  cpu?: number
  /** It, or the item that it belongs to, ran on a thread or in a process of the function's pool. */
  pooled?: true
  /** Name and message of what the run threw. */
  error?: string
}

/** What one function invocation reports: one line of JSON, written after the reply (DESIGN §8). */
export interface InvocationRecord {
  v: number
  app: string
  /** Id of the fusion setup. */
  setup: string
  /** The function that ran; `task` is the task it was asked to run. */
  function: string
  task: string
  sandbox: string
  /** Stable over retries. */
  invocation: string
  session: string
  /** W3C ids: 32 and 16 hex digits. The id of span `i` of an invocation is `spanId(record.span, i)`. */
  trace: string
  span: string
  /** W3C id of the calling span, if any. */
  parent: string | null
  mode: Mode
  attempt: number
  /** Start-up ms (process start + module load) when this invocation was the sandbox's first; null when warm. */
  cold: number | null
  /** Why it was cold: a real first use, forced by the load, or prewarmed before use. */
  coldKind?: 'natural' | 'forced' | 'prewarmed'
  /** Handler start, epoch ms with a fraction. */
  start: number
  /** Ms from start to the reply. */
  reply: number
  /** Ms from start to the end of after-reply work: what is billed, before rounding up. */
  wall: number
  /** CPU ms of the process during the invocation, when sampled. */
  cpu?: number
  /** Peak resident memory of the sandbox so far, MB. */
  peakMb: number
  /** Memory of the function, MB. */
  memory: number
  /** Requests that ran in this sandbox at the same time, this one included (1 = alone). */
  concurrent: number
  /**
   * It is a bundle of so many items of a map: the spans without a parent, one an item, in the order of their starts. The caller has a span for
   * each, one after the other from `parent` on.
   */
  items?: number
  /** How its input came, when its setup says `passing` and the platform emulates that. */
  passing?: Passed
  /** What started it, when a bucket's trigger did. */
  fired?: Fired
  /** What its runs put, by span and bucket; absent when nothing. */
  puts?: Puts[]
  /** Of spans (mode `send`, route `inline`) that a fused bucket started: which. */
  firings?: { span: number; fired: Omit<Fired, 'id'> }[]
  spans: Span[]
}

/** How an input came to its invocation. */
export interface Passed {
  how: 'direct' | 'store'
  bytes: number
  /** Before `start`: from when its sandbox asked for it until it was there; billed. */
  ms: number
  /** Operations of an object store, and what they and others of their kind cost. A put for several invocations is with one of them. */
  puts: number
  gets: number
  feeUsd: number
  emulated: true
}

/** How a trigger started a run. */
export interface Fired {
  bucket: string
  /** Index among the bucket's triggers. */
  trigger: number
  /** Id of the firing, the same in every delivery. */
  id: string
  objects: number
  /** Size of the objects. */
  bytes: number
  /** Ms from the put (or the time, or the end of the session) that completed it to the start of the run. */
  waitMs: number
}

/** Puts of one run into one bucket. */
export interface Puts {
  span: number
  bucket: string
  count: number
  bytes: number
}

/** What an invocation did with buckets, on the wire: a thousand firings are a record of its own size otherwise. */
export interface BucketFigures {
  names: string[]
  /** span, name, count, bytes */
  puts: number[]
  /** span, name, trigger, objects, bytes, wait in µs */
  firings: number[]
}

/** On the wire spans are 32-bit little-endian integers in base64, eight a span, with µs instead of ms and names in a table. */
interface WireRecord extends Omit<InvocationRecord, 'spans' | 'puts' | 'firings'> {
  b?: BucketFigures
  names: string[]
  /** parent, name, mode×2+route (+8 in a pool), start, end, in, out, cpu (-1 = not sampled) */
  s: string
  /** span index → error text */
  e?: Record<string, string>
}

export const SPAN_FIELDS = 8
export const modeCodes: readonly Mode[] = ['call', 'send', 'map']
/** Added to a span's code when it ran in a pool. */
export const POOLED = 8

/** The W3C span id of span `index` in the invocation whose root span is `root` (16 hex digits): the low 32 bits count. */
export function spanId(root: string, index: number): string {
  return root.slice(0, 8) + hex8(index)
}

/** Splits a span id into the root span's id of its invocation and the span's index in it. */
export function spanOf(id: string): { root: string; index: number } {
  return { root: `${id.slice(0, 8)}00000000`, index: Number.parseInt(id.slice(8), 16) }
}

/**
 * Reads one record line.
 * @throws {SyntaxError} the line is not a record of a version this reader knows
 */
export function parseRecord(line: string): InvocationRecord {
  return recordOf(JSON.parse(line))
}

/**
 * Reads one record whose line is JSON already parsed.
 * @throws {SyntaxError} it is not a record of a version this reader knows
 */
export function recordOf(json: unknown): InvocationRecord {
  const wire = (json ?? {}) as WireRecord
  if (wire.v !== RECORD_VERSION || typeof wire.s !== 'string' || !Array.isArray(wire.names))
    throw new SyntaxError(`not a fusionize record of version ${RECORD_VERSION}`)
  const { names, e, b, ...rest } = wire
  const s = fromBase64(wire.s)
  delete (rest as Partial<WireRecord>).s
  const spans: Span[] = []
  for (let i = 0; i + SPAN_FIELDS <= s.length; i += SPAN_FIELDS) {
    const at = (k: number) => s[i + k] as number
    const span: Span = {
      parent: at(0),
      task: names[at(1)] as string,
      mode: modeCodes[(at(2) >> 1) & 3] as Mode,
      route: at(2) & 1 ? 'remote' : 'inline',
      start: at(3) / 1000,
      end: at(4) / 1000,
      bytesIn: at(5),
      bytesOut: at(6),
    }
    if (at(2) & POOLED) span.pooled = true
    if (at(7) >= 0) span.cpu = at(7) / 1000
    const error = e?.[String(i / SPAN_FIELDS)]
    if (error !== undefined) span.error = error
    spans.push(span)
  }
  return { ...rest, ...(b && bucketsOf(b)), spans }
}

function bucketsOf({ names, puts, firings }: BucketFigures): Pick<InvocationRecord, 'puts' | 'firings'> {
  const named = (i: number) => names[i] as string
  return {
    ...(puts.length > 0 && {
      puts: rows(puts, 4).map(([span, name, count, bytes]) => ({ span, bucket: named(name), count, bytes })),
    }),
    ...(firings.length > 0 && {
      firings: rows(firings, 6).map(([span, name, trigger, objects, bytes, us]) => ({
        span,
        fired: { bucket: named(name), trigger, objects, bytes, waitMs: us / 1000 },
      })),
    }),
  }
}

type Row = [number, number, number, number, number, number]

function rows(numbers: readonly number[], length: number): Row[] {
  const found: Row[] = []
  for (let i = 0; i + length <= numbers.length; i += length) found.push(numbers.slice(i, i + length) as Row)
  return found
}

function figuresOf({ puts = [], firings = [] }: InvocationRecord): BucketFigures | undefined {
  if (puts.length + firings.length === 0) return undefined
  const names = [...new Set([...puts.map((x) => x.bucket), ...firings.map((x) => x.fired.bucket)])]
  const at = (bucket: string) => names.indexOf(bucket)
  return {
    names,
    puts: puts.flatMap(({ span, bucket, count, bytes }) => [span, at(bucket), count, bytes]),
    firings: firings.flatMap(({ span, fired: { bucket, trigger, objects, bytes, waitMs } }) => [
      span,
      at(bucket),
      trigger,
      objects,
      bytes,
      Math.round(waitMs * 1000),
    ]),
  }
}

/** Writes a record as the line that `parseRecord` reads; for tests, importers and simulators (the handler has its own fast writer). */
export function formatRecord(record: InvocationRecord): string {
  const { spans, puts: _puts, firings: _firings, ...rest } = record
  const b = figuresOf(record)
  const names = [...new Set(spans.map((x) => x.task))]
  const s: number[] = []
  const e: Record<string, string> = {}
  for (const [i, x] of spans.entries()) {
    const us = (ms: number) => Math.round(ms * 1000)
    const code = modeCodes.indexOf(x.mode) * 2 + (x.route === 'remote' ? 1 : 0) + (x.pooled ? POOLED : 0)
    s.push(x.parent, names.indexOf(x.task), code)
    s.push(us(x.start), us(x.end), x.bytesIn, x.bytesOut, x.cpu === undefined ? -1 : us(x.cpu))
    if (x.error !== undefined) e[i] = x.error
  }
  return JSON.stringify({
    ...rest,
    ...(b && { b }),
    names,
    s: toBase64(s),
    ...(Object.keys(e).length > 0 ? { e } : {}),
  })
}

function fromBase64(text: string): Int32Array {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return new Int32Array(bytes.buffer)
}

function toBase64(numbers: number[]): string {
  const bytes = new Uint8Array(Int32Array.from(numbers).buffer)
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
