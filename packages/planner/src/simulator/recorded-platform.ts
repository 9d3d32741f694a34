import { type InvocationRecord, spanId } from 'fusionize/record'
import { isRequest } from '../profile/trace.js'
import { recordedRequests } from './recorded-requests.js'
import { recordedTogether } from './recorded-together.js'
import type { BySize, Draw, SimulatedPlatform } from './types.js'

export type RecordedDelays = Pick<SimulatedPlatform, 'handOver' | 'startUp'> & {
  /** What the records do not tell, in words; its delay is 0. */
  unknown: string[]
}

/**
 * The platform's own delays as recorded: what callers of a warm function waited beyond its time (of a cold one, beyond its start-up, too,
 * where no warm one was called), each callee's for itself (what a call waits depends on how soon the callee's sandbox has CPU to take it), what sends took to be accepted, and start-ups, by memory. A delay contains what the machine made it wait, so record under a load that it bears well.
 *
 * @param records without duplicates, in any order
 */
export function recordedDelays(records: readonly InvocationRecord[]): RecordedDelays {
  const requests = recordedRequests(records)
  const [call, coldCall, send] = [new Delays(requests.size), new Delays(requests.size), new Delays(requests.size)]
  const [callTo, sendTo] = [new DelaysByTask(requests.size), new DelaysByTask(requests.size)]
  const startUp = new Map<number, number[]>()
  const bySpan = new Map<string, InvocationRecord>()
  for (const record of records)
    if (record.parent !== null && record.attempt === 1 && !record.fired) bySpan.set(record.parent, record)
  for (const record of records) {
    const { memory, cold } = record
    if (cold !== null) startUp.set(memory, [...(startUp.get(memory) ?? []), cold])
    const request = requests.get(record.session)?.number
    if (request === undefined) continue
    for (const [i, span] of record.spans.entries()) {
      if (span.route === 'inline' || span.error !== undefined) continue
      const waitMs = span.end - span.start
      if (span.mode === 'send') {
        send.note(memory, request, waitMs)
        sendTo.of(span.task).note(memory, request, waitMs)
      } else {
        const callee = bySpan.get(spanId(record.span, i))
        if (!callee) continue
        const restMs = Math.max(0, waitMs - callee.reply - (callee.cold ?? 0))
        ;(callee.cold === null ? call : coldCall).note(memory, request, restMs)
        if (callee.cold === null) callTo.of(span.task).note(memory, request, restMs)
      }
    }
  }
  const unknown: string[] = []
  const known = (sizes: BySize, what: string): BySize => {
    if (sizes.length > 0) return sizes
    unknown.push(what)
    return [{ memoryMb: 1024, ms: 0 }]
  }
  const startUps = [...startUp].sort(([a], [b]) => a - b).map(([memoryMb, values]) => ({ memoryMb, ms: { values } }))
  return {
    handOver: {
      call: known(call.isEmpty ? coldCall.sizes() : call.sizes(), 'how long a remote call takes: none was recorded'),
      send: known(send.sizes(), 'how long a remote send takes: none was recorded'),
      callTo: callTo.sizes(),
      sendTo: sendTo.sizes(),
      together: recordedTogether(records),
    },
    startUp: known(startUps, 'how long a sandbox takes to start: none was recorded'),
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

/** What clients waited beyond the entry's time, and beyond its start-up where no entry was warm. @param latencyMs of the requests, by session */
export function recordedGatewayMs(
  records: readonly InvocationRecord[],
  latencyMs: ReadonlyMap<string, number>,
): Extract<Draw, { byRequest: unknown }> {
  const requests = recordedRequests(records)
  const entries = records.filter(
    (record) => isRequest(record) && record.mode !== 'send' && latencyMs.has(record.session),
  )
  const warm = entries.filter(({ cold }) => cold === null)
  const byRequest: number[][] = Array.from({ length: requests.size }, () => [])
  for (const { session, reply, cold } of warm.length > 0 ? warm : entries) {
    const latency = latencyMs.get(session) as number
    byRequest[requests.get(session)?.number ?? -1]?.push(Math.max(0, latency - reply - (cold ?? 0)))
  }
  return { byRequest }
}

/** Delays by memory and recorded request. */
class Delays {
  private readonly bySize = new Map<number, number[][]>()

  constructor(private readonly requests: number) {}

  get isEmpty(): boolean {
    return this.bySize.size === 0
  }

  note(memoryMb: number, request: number, ms: number): void {
    let known = this.bySize.get(memoryMb)
    if (!known) {
      known = Array.from({ length: this.requests }, () => [])
      this.bySize.set(memoryMb, known)
    }
    known[request]?.push(ms)
  }

  sizes(): BySize {
    return [...this.bySize].sort(([a], [b]) => a - b).map(([memoryMb, byRequest]) => ({ memoryMb, ms: { byRequest } }))
  }
}

class DelaysByTask {
  private readonly byTask = new Map<string, Delays>()

  constructor(private readonly requests: number) {}

  of(task: string): Delays {
    let known = this.byTask.get(task)
    if (!known) {
      known = new Delays(this.requests)
      this.byTask.set(task, known)
    }
    return known
  }

  sizes(): Record<string, BySize> {
    return Object.fromEntries([...this.byTask].map(([task, delays]) => [task, delays.sizes()]))
  }
}
