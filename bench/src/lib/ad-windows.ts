import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { adEvents, checkWindows, countByCampaign, type WindowCount } from '@fusionize/example-kit/ads'
import type { InvocationRecord } from 'fusionize/record'
import type { EventsOrder, EventsSent } from '../peers/events-client.js'

export const WINDOW_MS = 1000
const types = ['view'] as const
const ENDING = '.json'

/** A window's counts, and which invocation wrote them. */
interface Written {
  window: WindowCount
  invocation: string
}

/** The windows in the store of ad-events. */
export function writtenWindows(store: string): Written[] {
  const dir = join(store, 'documents', 'windows')
  return filesIn(dir).map((name) => ({
    window: JSON.parse(readFileSync(join(dir, name), 'utf8')),
    invocation: name.slice(0, -ENDING.length),
  }))
}

export function countedEvents(windows: readonly Written[]): number {
  return windows.reduce((sum, { window }) => sum + window.events.length, 0)
}

/** How many of a load's events are to be counted. */
export function eventsToCount({ seed, first, batch }: EventsOrder, requests: number): number {
  const counts = countByCampaign(adEvents({ seed, first, count: requests * batch }), types)
  return Object.values(counts).reduce((sum, n) => sum + n, 0)
}

/** What is wrong with the windows of a load; empty when nothing is. */
export function problemsOf(
  { seed, first, batch }: EventsOrder,
  { requests }: EventsSent,
  windows: readonly Written[],
): string[] {
  const events = adEvents({ seed, first, count: requests * batch })
  return checkWindows(
    events,
    types,
    windows.map(({ window }) => window),
  )
}

/**
 * Ms from the end of each window to the end of the run that wrote its counts (a file system's own times are too coarse). A window is told
 * by the arrival of the event in its middle.
 */
export function delaysOf(
  { first, batch, requestsPerSecond }: EventsOrder,
  sent: EventsSent,
  windows: readonly Written[],
  records: readonly InvocationRecord[],
): number[] {
  const ends = new Map(records.map(({ invocation, start, reply }) => [invocation, start + reply]))
  return windows.map(({ window: { events }, invocation }) => {
    const numbers = events.map((id) => Number(id.slice(id.indexOf('-') + 1))).sort((a, b) => a - b)
    const middle = numbers[numbers.length >> 1] as number
    const arrivedMs = sent.beganMs + (Math.floor((middle - first) / batch) * 1000) / requestsPerSecond
    const end = ends.get(invocation) ?? Number.NaN
    return end - (Math.floor(arrivedMs / WINDOW_MS) + 1) * WINDOW_MS
  })
}

export function removeWindows(store: string): void {
  rmSync(join(store, 'documents', 'windows'), { recursive: true, force: true })
}

function filesIn(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => name.endsWith(ENDING))
  } catch {
    return []
  }
}
