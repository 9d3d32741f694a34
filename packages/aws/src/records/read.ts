import {
  type CloudWatchLogsClient,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs'
import type { RecordsPage } from '@fusionize/platform'
import type { LogEvent } from './attempts.js'
import { type Cursor, type Position, readCursor, writeCursor } from './cursor.js'
import { joinReports } from './join.js'
import { killedRecord } from './killed.js'
import type { Versions } from './versions.js'

/**
 * Ms for which an event may come after later ones: what is so far back is read again, and known by its id. CloudWatch says of no event when it
 * came, only when it was.
 */
const LATE_MS = 30_000

/** Records, and firings that will have some. */
export interface Page extends RecordsPage {
  /** Ids of invocations; one that was said of late may come again. */
  fired: string[]
  /** Epoch ms up to which everything was read; absent: all that there was. */
  until?: number
}

/** What a function says of itself, and what Lambda says of it. */
const PATTERN = '?"fusionize" ?"REPORT RequestId" ?"platform.report"'

/** Where records are read. */
export interface Source {
  logs: CloudWatchLogsClient
  /** The application's name. */
  app: string
  versions: Versions
}

/**
 * Records since the last time, of all functions.
 * @param groups log groups of the functions
 * @param since `next` of the last time; absent: from the beginning
 * @param now epoch ms
 * @param most events of a function that are read at most, or a page more
 */
export async function readRecords(
  source: Source,
  groups: readonly string[],
  since: string | undefined,
  now: number,
  most = Number.POSITIVE_INFINITY,
): Promise<Page> {
  const cursor = since === undefined ? {} : readCursor(since)
  const next: Cursor = { ...cursor }
  const lines: string[] = []
  const fired: string[] = []
  let until = Number.POSITIVE_INFINITY
  await Promise.all(
    groups.map(async (group) => {
      const position = cursor[group] ?? { from: 0, seen: [] }
      const read = await readGroup(source, group, position, now, most)
      next[group] = read.position
      lines.push(...read.lines)
      fired.push(...read.fired)
      until = Math.min(until, read.until)
    }),
  )
  return { lines, fired, next: writeCursor(next), ...(until < Number.POSITIVE_INFINITY && { until }) }
}

async function readGroup(
  { app, logs, versions }: Source,
  group: string,
  { from, seen }: Position,
  now: number,
  most: number,
): Promise<{ lines: string[]; fired: string[]; until: number; position: Position }> {
  const { events, isAll } = await eventsOf(logs, group, from, most)
  const { records, killed, waiting, fired } = joinReports(events, now)
  const known = new Set(seen)
  const lost = killed.filter(({ event }) => !known.has(event.id))
  const told = await Promise.all(
    lost.map(async (one) => ({
      event: one.event,
      line: killedRecord(one, app, await versions(group, one.event.stream)),
    })),
  )
  // Attempts one after the other: whoever follows them must not hear of a failure after what came of it.
  const fresh = [...records.filter(({ event }) => !known.has(event.id)), ...told].sort(
    (a, b) => a.event.time - b.event.time,
  )
  // What waits for its REPORT is read again with it, and so is the time in which others may still come.
  const earliest = Math.min(...waiting.map(({ time }) => time), Math.max(from, latest(events) - LATE_MS))
  const position = {
    from: earliest,
    seen: [...records, ...killed].flatMap(({ event }) => (event.time >= earliest ? [event.id] : [])),
  }
  const until = isAll ? Number.POSITIVE_INFINITY : latest(events)
  return { lines: fresh.map(({ line }) => line), fired, position, until }
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
