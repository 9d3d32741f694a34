import { type Asked, type Attempt, askedFor, attemptsIn, type LogEvent } from './attempts.js'
import { jsonIn } from './json-in.js'
import type { Report } from './report-line.js'

/** An invocation that failed and told nothing: its sandbox was killed. */
export interface Killed {
  /** The REPORT. */
  event: LogEvent
  report: Report
  /** Which attempt at its event it was, as far as the log goes back. */
  attempt: number
  /** Where another attempt at the event says it. */
  asked?: Asked
}

export interface Joined {
  /** Records whose REPORT is known, or that have waited for it in vain. */
  records: { event: LogEvent; line: string }[]
  /** Invocations without a record, of which Lambda says that they failed. */
  killed: Killed[]
  /** Records whose REPORT has not come yet. */
  waiting: LogEvent[]
  /** Ids of firings that were made, which begin sessions of their own. */
  fired: string[]
}

/** Ms after which a record goes without its REPORT: the line was lost. */
const PATIENCE_MS = 60_000

/**
 * Records with what only Lambda knows: how long the start-up took, what time is billed, the peak memory of the environment; and what failed
 * without a record.
 * @param events of one log group, in the order of their times
 * @param now epoch ms
 */
export function joinReports(events: readonly LogEvent[], now: number): Joined {
  const joined: Joined = { records: [], killed: [], waiting: [], fired: firedIn(events) }
  const attempts = attemptsIn(events)
  const byRequest = new Map<string, Attempt[]>()
  for (const one of attempts) byRequest.set(one.request, [...(byRequest.get(one.request) ?? []), one])
  for (const { records, report, request } of attempts) {
    for (const { event, text } of records) {
      if (report) joined.records.push({ event, line: withReport(text, report.report, records.length === 1) })
      else if (now - event.time < PATIENCE_MS) joined.waiting.push(event)
      else joined.records.push({ event, line: text })
    }
    if (records.length > 0 || !report?.report.failed) continue
    const all = byRequest.get(request) ?? []
    const place = all.findIndex((one) => one.report === report)
    const asked = askedFor(all)[place]
    joined.killed.push({ ...report, attempt: asked?.attempt ?? place + 1, ...(asked && { asked }) })
  }
  return joined
}

function firedIn(events: readonly LogEvent[]): string[] {
  return events.flatMap(({ line }) =>
    line.startsWith('{"fusionize":"fired",') ? (jsonIn<{ ids?: string[] }>(line)?.ids ?? []) : [],
  )
}

/** @param alone it is the only record of its attempt: a batch of messages has one for each, and the time of none is that of all */
function withReport(text: string, { durationMs, initMs, peakMb }: Report, alone: boolean): string {
  const record = JSON.parse(text) as { cold: number | null; wall: number; peakMb: number }
  if (record.cold !== null && initMs !== undefined) record.cold = initMs
  if (alone) record.wall = Math.max(record.wall, durationMs)
  record.peakMb = peakMb
  return JSON.stringify(record)
}
