import {
  type CloudWatchLogsClient,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs'
import type { RecordsPage } from '@fusionize/platform'
import { type Cursor, type Position, readCursor, writeCursor } from './cursor.js'
import { joinReports, type LogEvent } from './join.js'
import { isFailure } from './report-line.js'

/**
 * Ms for which an event may come after later ones: what is so far back is read again, and known by its id. CloudWatch says of no event when it
 * came, only when it was.
 */
const LATE_MS = 30_000

/** Records, and firings that will have some. */
export interface Page extends RecordsPage {
  /** Ids of invocations; one that was said of late may come again. */
  fired: string[]
  /** Invocations that ended without a record: they took too long, or their environment ended. */
  failures: Failure[]
  /** Epoch ms up to which everything was read; absent: all that there was. */
  until?: number
}

/** An invocation that ended otherwise than by an answer. */
export interface Failure {
  /** Log group of its function, and the function's version. */
  group: string
  version: string
  /** Epoch ms. */
  time: number
}

/** What a function says of itself, and what Lambda says of it. */
const PATTERN = '?"fusionize" ?"REPORT RequestId"'

/**
 * Records since the last time, of all functions.
 * @param groups log groups of the functions
 * @param since `next` of the last time; absent: from the beginning
 * @param now epoch ms
 * @param most events of a function that are read at most, or a page more
 */
export async function readRecords(
  logs: CloudWatchLogsClient,
  groups: readonly string[],
  since: string | undefined,
  now: number,
  most = Number.POSITIVE_INFINITY,
): Promise<Page> {
  const cursor = since === undefined ? {} : readCursor(since)
  const next: Cursor = { ...cursor }
  const lines: string[] = []
  const fired: string[] = []
  const failures: Failure[] = []
  let until = Number.POSITIVE_INFINITY
  await Promise.all(
    groups.map(async (group) => {
      const position = cursor[group] ?? { from: 0, seen: [] }
      const read = await readGroup(logs, group, position, now, most)
      next[group] = read.position
      lines.push(...read.lines)
      fired.push(...read.fired)
      failures.push(...read.failures)
      until = Math.min(until, read.until)
    }),
  )
  return { lines, fired, failures, next: writeCursor(next), ...(until < Number.POSITIVE_INFINITY && { until }) }
}

async function readGroup(
  logs: CloudWatchLogsClient,
  group: string,
  { from, seen }: Position,
  now: number,
  most: number,
): Promise<Pick<Page, 'lines' | 'fired' | 'failures'> & { until: number; position: Position }> {
  const { events, isAll } = await eventsOf(logs, group, from, most)
  const { records, waiting, fired } = joinReports(events, now)
  const known = new Set(seen)
  const fresh = records.filter(({ event }) => !known.has(event.id))
  const failed = events.filter(({ id, line }) => isFailure(line) && !known.has(id))
  // What waits for its REPORT is read again with it, and so is the time in which others may still come.
  const earliest = Math.min(...waiting.map(({ time }) => time), Math.max(from, latest(events) - LATE_MS))
  const position = {
    from: earliest,
    seen: [...records.map(({ event }) => event), ...events.filter(({ line }) => isFailure(line))].flatMap(
      ({ id, time }) => (time >= earliest ? [id] : []),
    ),
  }
  return {
    lines: fresh.map(({ line }) => line),
    fired,
    failures: failed.map(({ stream, time }) => ({ group, version: /\[([^\]]*)\]/.exec(stream)?.[1] ?? '', time })),
    position,
    until: isAll ? Number.POSITIVE_INFINITY : latest(events),
  }
}

function latest(events: readonly LogEvent[]): number {
  return events.reduce((last, { time }) => Math.max(last, time), 0)
}

/** Of a function that has never run there is no group, or no event. */
async function eventsOf(
  logs: CloudWatchLogsClient,
  logGroupName: string,
  startTime: number,
  most: number,
): Promise<{ events: LogEvent[]; isAll: boolean }> {
  const events: LogEvent[] = []
  let nextToken: string | undefined
  try {
    do {
      const command = new FilterLogEventsCommand({ logGroupName, startTime, filterPattern: PATTERN, nextToken })
      const page = await logs.send(command)
      for (const { eventId = '', logStreamName = '', timestamp = 0, message = '' } of page.events ?? [])
        events.push({ id: eventId, stream: logStreamName, time: timestamp, line: message.trimEnd() })
      nextToken = page.nextToken
    } while (nextToken !== undefined && events.length < most)
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error
  }
  return { events, isAll: nextToken === undefined }
}
