/** Who waits for whom, in OpenTelemetry's words. */
export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal'

/** What OpenTelemetry and X-Ray have in common: a stretch of work or of waiting in one service. */
export interface ForeignSpan {
  id: string
  /** Id of the enclosing span; empty: none. */
  parent: string
  /** The function or service that reports it; empty: that of the enclosing span. */
  service: string
  /** What ran there: the task of an invocation. */
  task: string
  kind: SpanKind
  /** Epoch ms. */
  startMs: number
  endMs: number
  /** End of the work that is billed, where that goes on after the reply. Epoch ms. */
  doneMs?: number
  /** It stands for the way, not for work: a gateway, a queue, the platform's side of an invocation, the client itself. */
  relay?: boolean
  /** The platform's side of a function's invocation: stands for the function when that reports nothing itself. */
  stand?: boolean
  /** Function that it calls, as far as it says. */
  invokes?: string
  /** The call says itself that nobody waits for its result. */
  asynchronous?: boolean
  memoryMb?: number
  billedMs?: number
  isCold?: boolean
  /** Start-up ms of the invocation that the span belongs to. */
  coldMs?: number
  bytesIn?: number
  bytesOut?: number
  error?: string
}

/** Longest text kept of what a trace says. */
const LONGEST = 200

/** Text from a trace, in one line and not too long. */
export function shortText(text: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
  const line = String(text).replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line
}
