import { type InvocationRecord, spanId } from 'fusionize/record'
import { isRequest } from '../profile/trace.js'
import { recordedTogether } from './recorded-together.js'
import type { BySize, SimulatedPlatform } from './types.js'

/** Values that stand for a distribution, at most. */
const VALUES = 4096

export type RecordedDelays = Pick<SimulatedPlatform, 'handOver' | 'startUp'> & {
  /** What the records do not tell, in words; its delay is 0. */
  unknown: string[]
}

/**
 * The platform's own delays as recorded: what callers of a warm function waited beyond its time (of a cold one, beyond its start-up, too,
 * where no warm one was called), what sends took to be accepted, and start-ups, by memory. A delay contains what the machine made it wait, so record under a load that it bears well.
 *
 * @param records without duplicates, in any order
 */
export function recordedDelays(records: readonly InvocationRecord[]): RecordedDelays {
  const call = new Map<number, number[]>()
  const coldCall = new Map<number, number[]>()
  const send = new Map<number, number[]>()
  const startUp = new Map<number, number[]>()
  const bySpan = new Map<string, InvocationRecord>()
  for (const record of records)
    if (record.parent !== null && record.attempt === 1 && !record.fired) bySpan.set(record.parent, record)
  for (const record of records) {
    if (record.cold !== null) note(startUp, record.memory, record.cold)
    for (const [i, span] of record.spans.entries()) {
      if (span.route === 'inline' || span.error !== undefined) continue
      const waitMs = span.end - span.start
      if (span.mode === 'send') note(send, record.memory, waitMs)
      else {
        const callee = bySpan.get(spanId(record.span, i))
        if (!callee) continue
        const restMs = Math.max(0, waitMs - callee.reply - (callee.cold ?? 0))
        note(callee.cold === null ? call : coldCall, record.memory, restMs)
      }
    }
  }
  const unknown: string[] = []
  const known = (map: Map<number, number[]>, what: string): BySize => {
    if (map.size > 0) return sizesOf(map)
    unknown.push(what)
    return [{ memoryMb: 1024, ms: 0 }]
  }
  return {
    handOver: {
      call: known(call.size > 0 ? call : coldCall, 'how long a remote call takes: none was recorded'),
      send: known(send, 'how long a remote send takes: none was recorded'),
      together: recordedTogether(records),
    },
    startUp: known(startUp, 'how long a sandbox takes to start: none was recorded'),
    unknown,
  }
}

/** Which tasks requests asked for, and how often. */
export function recordedEntries(records: readonly InvocationRecord[]): Record<string, number> {
  const entries: Record<string, number> = {}
  for (const record of records)
    if (isRequest(record) && record.attempt === 1) entries[record.task] = (entries[record.task] ?? 0) + 1
  return entries
}

/** What clients waited beyond the entry's time, ms. @param latencyMs of the requests, by session */
export function recordedGatewayMs(
  records: readonly InvocationRecord[],
  latencyMs: ReadonlyMap<string, number>,
): number[] {
  const found: number[] = []
  for (const record of records) {
    const latency = latencyMs.get(record.session)
    if (!isRequest(record) || record.cold !== null || record.mode === 'send' || latency === undefined) continue
    found.push(Math.max(0, latency - record.reply))
  }
  return found
}

function note(map: Map<number, number[]>, memoryMb: number, ms: number): void {
  const known = map.get(memoryMb)
  if (known) known.push(ms)
  else map.set(memoryMb, [ms])
}

function sizesOf(map: ReadonlyMap<number, number[]>): BySize {
  return [...map]
    .sort(([a], [b]) => a - b)
    .map(([memoryMb, all]) => {
      const step = Math.max(1, all.length / VALUES)
      const sorted = all.sort((a, b) => a - b)
      const values = Array.from(
        { length: Math.min(VALUES, all.length) },
        (_, i) => sorted[Math.floor(i * step)] as number,
      )
      return { memoryMb, ms: { values } }
    })
}
