import { type InvocationRecord, spanId } from 'fusionize/record'

/** Cold-start shares as METRICS defines them. */
export interface StartUps {
  /** (a) cold / all invocations; forced and prewarmed ones apart. */
  invocations: { natural: number; forced: number; prewarmed: number }
  /** (b) share of requests with a start-up on their reply's critical path. */
  requests: number
  /** (c) mean ms of start-up there, over all requests. */
  criticalMs: number
}

/** @param records of everything that `requests` requests caused */
export function startUpsOf(records: readonly InvocationRecord[], requests: number): StartUps {
  const bySpan = new Map(records.filter(({ parent }) => parent !== null).map((record) => [record.parent, record]))
  const count = (kind: string) =>
    records.filter((record) => record.cold !== null && (record.coldKind ?? 'natural') === kind).length / records.length
  let delayed = 0
  let total = 0
  for (const root of records) {
    if (root.parent !== null || root.mode !== 'call') continue
    const ms = criticalMs(root, bySpan)
    if (ms > 0) delayed++
    total += ms
  }
  return {
    invocations: { natural: count('natural'), forced: count('forced'), prewarmed: count('prewarmed') },
    requests: delayed / requests,
    criticalMs: total / requests,
  }
}

/**
 * Ms of start-ups on the way to the invocation's reply. Walks back from the reply: whatever it waited for last, then whatever that began
 * after; of calls that were open at the same time only the last to end counts.
 */
function criticalMs(record: InvocationRecord, bySpan: ReadonlyMap<string | null, InvocationRecord>): number {
  let ms = record.cold !== null && record.coldKind !== 'prewarmed' ? record.cold : 0
  const waits = record.spans
    .map((span, i) => ({ ...span, id: spanId(record.span, i) }))
    .filter((span) => span.route === 'remote' && span.mode !== 'send' && span.end <= record.reply)
    .sort((a, b) => b.end - a.end)
  let until = record.reply
  for (const wait of waits) {
    if (wait.end > until) continue
    const callee = bySpan.get(wait.id)
    if (callee) ms += criticalMs(callee, bySpan)
    until = wait.start
  }
  return ms
}
