import { SPAN_FIELDS } from '../record.js'

/**
 * The spans of one invocation as a flat list of small integers (eight a span, see `parseRecord`): noting a span allocates nothing
 * and writing it out is one `join`.
 */
export class Spans {
  readonly numbers: number[] = []
  errors: Record<string, string> | undefined

  constructor(
    /** `performance.now()` of the invocation's start. */
    readonly origin: number,
    /** Whether cpu time is read at the span's ends. */
    readonly sampled: boolean,
  ) {}

  /** @returns the span's index */
  open(parent: number, name: number, code: number, bytesIn: number): number {
    const { numbers } = this
    const at = numbers.length
    const now = this.now()
    numbers.push(parent, name, code, now, now, bytesIn, 0, this.sampled ? cpuMicros() : -1)
    return at / SPAN_FIELDS
  }

  /** The span begins now, not when it was opened: a send that waited for the reply. */
  restart(span: number): void {
    const at = span * SPAN_FIELDS
    this.numbers[at + 3] = this.now()
    this.numbers[at + 4] = this.now()
    if (this.sampled) this.numbers[at + 7] = cpuMicros()
  }

  close(span: number, bytesOut: number): void {
    const at = span * SPAN_FIELDS
    const { numbers } = this
    numbers[at + 4] = this.now()
    numbers[at + 6] = bytesOut
    if (this.sampled) numbers[at + 7] = cpuMicros() - (numbers[at + 7] as number)
  }

  fail(span: number, error: unknown): void {
    this.close(span, 0)
    this.errors ??= {}
    this.errors[span] = error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 200) : 'not an Error'
  }

  /** Integer µs since the start. */
  now(): number {
    return ((performance.now() - this.origin) * 1000) | 0
  }
}

/** CPU µs of this process so far; ~600 ns a reading, hence only in sampled invocations. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
