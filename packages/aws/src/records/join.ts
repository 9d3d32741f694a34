import { parseReport, type Report } from './report-line.js'

/** An event of a log group, as CloudWatch gives it. */
export interface LogEvent {
  /** Never the same for two events. */
  id: string
  /** Log stream: of one environment. */
  stream: string
  /** Epoch ms. */
  time: number
  line: string
}

export interface Joined {
  /** Records whose REPORT is known, or that have waited for it in vain. */
  records: { event: LogEvent; line: string }[]
  /** Records whose REPORT has not come yet. */
  waiting: LogEvent[]
  /** Ids of firings that were made, which begin sessions of their own. */
  fired: string[]
}

/** Ms after which a record goes without its REPORT: the environment was killed, or the line was lost. */
const PATIENCE_MS = 60_000

/**
 * Records with what only Lambda knows: how long the start-up took, what time is billed, the peak memory of the environment.
 * @param now epoch ms
 */
export function joinReports(events: readonly LogEvent[], now: number): Joined {
  const reports = new Map<string, Report>()
  const found: { event: LogEvent; request: string; text: string }[] = []
  const fired: string[] = []
  for (const event of events) {
    const report = parseReport(event.line)
    if (report) reports.set(report.request, report)
    else if (event.line.startsWith('{"fusionize":"fired",'))
      fired.push(...(JSON.parse(event.line) as { ids: string[] }).ids)
    else {
      const [, request, text] =
        /^\{"fusionize":"record","request":"([^"]*)","record":(\{.*\})\}\s*$/.exec(event.line) ?? []
      if (request !== undefined && text !== undefined) found.push({ event, request, text })
    }
  }
  const counts = new Map<string, number>()
  for (const { request } of found) counts.set(request, (counts.get(request) ?? 0) + 1)
  const alone = (request: string) => counts.get(request) === 1
  const joined: Joined = { records: [], waiting: [], fired }
  for (const { event, request, text } of found) {
    const report = reports.get(request)
    if (report === undefined && now - event.time < PATIENCE_MS) joined.waiting.push(event)
    else joined.records.push({ event, line: report ? withReport(text, report, alone(request)) : text })
  }
  return joined
}

/** @param alone it is the only record of its request: a batch of messages has one for each, and the time of none is that of all */
function withReport(text: string, { durationMs, initMs, peakMb }: Report, alone: boolean): string {
  const record = JSON.parse(text) as { cold: number | null; wall: number; peakMb: number }
  if (record.cold !== null && initMs !== undefined) record.cold = initMs
  if (alone) record.wall = Math.max(record.wall, durationMs)
  record.peakMb = peakMb
  return JSON.stringify(record)
}
