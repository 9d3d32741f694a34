import { SPAN_FIELDS } from '../record.js'

/** `performance.now` without the look-ups of the global and of its method, which cost 7 ns of 42. */
export const clock = performance.now.bind(performance)

const spare: Int32Array[] = []
/** Spans of a sampled invocation that carry cpu time, at most: a reading costs as much as ten inline calls. */
const maxSampled = 16 * SPAN_FIELDS
/** Of which a chain whose records are not written yet takes one each. */
const MAX_SPARE = 1024
const maxSpare = 4096 * SPAN_FIELDS
const nothing = new Int32Array(0)

/**
 * The spans of one invocation as eight 32-bit integers each (see `parseRecord`), so that noting one allocates nothing and writing
 * them out is one base64 encoding: the difference between 110 and 15 ns a span.
 */
export class Spans {
  private numbers: Int32Array
  private length = 0
  errors: Record<string, string> | undefined
  /** ms at the invocation's start. */
  readonly origin = clock()

  constructor(
    /** Whether cpu time is read at the span's ends. */
    public sampled: boolean,
  ) {
    this.numbers = spare.pop() ?? new Int32Array(16 * SPAN_FIELDS)
  }

  /** @returns the span's index */
  open(parent: number, name: number, code: number, bytesIn: number): number {
    return this.openAt(parent, name, code, bytesIn, clock())
  }

  /** @param atMs a reading of the clock that is as good as now */
  openAt(parent: number, name: number, code: number, bytesIn: number, atMs: number): number {
    const at = this.length
    if (at === this.numbers.length) this.grow()
    this.length = at + SPAN_FIELDS
    const { numbers } = this
    const now = ((atMs - this.origin) * 1000) | 0
    numbers[at] = parent
    numbers[at + 1] = name
    numbers[at + 2] = code
    numbers[at + 3] = now
    numbers[at + 4] = now
    numbers[at + 5] = bytesIn
    numbers[at + 6] = 0
    numbers[at + 7] = this.sampled && at < maxSampled ? cpuMicros() : -1
    return at / SPAN_FIELDS
  }

  /** A figure of the span as on the wire. @param field 2: mode and route; 3: its start in µs from the invocation's */
  read(span: number, field: number): number {
    return this.numbers[span * SPAN_FIELDS + field] as number
  }

  /** The span begins now, not when it was opened: a send that waited for the reply. */
  restart(span: number): void {
    const at = span * SPAN_FIELDS
    const now = this.now()
    this.numbers[at + 3] = now
    this.numbers[at + 4] = now
    if (this.numbers[at + 7] !== -1) this.numbers[at + 7] = cpuMicros()
  }

  close(span: number, bytesOut: number): void {
    const at = span * SPAN_FIELDS
    const { numbers } = this
    numbers[at + 4] = this.now()
    numbers[at + 6] = bytesOut
    if (numbers[at + 7] !== -1) numbers[at + 7] = cpuMicros() - (numbers[at + 7] as number)
  }

  fail(span: number, error: unknown): void {
    this.close(span, 0)
    this.errors ??= {}
    this.errors[span] = error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 200) : 'not an Error'
  }

  /** For what was measured elsewhere. @param figures the first of a span's, as on the wire */
  set(span: number, figures: readonly number[]): void {
    this.numbers.set(figures, span * SPAN_FIELDS)
  }

  /** Integer µs since the start. */
  now(): number {
    return ((clock() - this.origin) * 1000) | 0
  }

  /** CPU ms of the root span, when sampled. */
  get cpuMs(): number | undefined {
    return this.sampled ? (this.numbers[7] as number) / 1000 : undefined
  }

  /** Has the spans name their tasks by a table of their own. @param all the table so far */
  nameAnew(all: readonly string[]): string[] {
    const { numbers, length } = this
    const names: string[] = []
    if (length === SPAN_FIELDS) {
      names.push(all[numbers[1] as number] as string)
      numbers[1] = 0
      return names
    }
    const places = new Map<number, number>()
    for (let at = 1; at < length; at += SPAN_FIELDS) {
      const known = numbers[at] as number
      let place = places.get(known)
      if (place === undefined) {
        place = names.push(all[known] as string) - 1
        places.set(known, place)
      }
      numbers[at] = place
    }
    return names
  }

  /** The end: the spans in base64. Their memory is used again. */
  finish(): string {
    const text = Buffer.from(this.numbers.buffer, 0, this.length * 4).toString('base64')
    if (spare.length < MAX_SPARE && this.numbers.length <= maxSpare) spare.push(this.numbers)
    this.numbers = nothing
    this.length = 0
    return text
  }

  private grow(): void {
    const larger = new Int32Array(this.numbers.length * 2)
    larger.set(this.numbers)
    this.numbers = larger
  }
}

/** CPU µs of this process so far; ~600 ns a reading, hence only in sampled invocations. */
function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) | 0
}
