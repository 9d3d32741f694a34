import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AdEvent, adEvents, checkWindows, countByCampaign, type EventType } from '@fusionize/example-kit/ads'
import { drained } from 'fusionize/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import config from '../fusionize.config'
import { countedTypes, windowMs } from '../lib/settings'
import { countedWindows } from '../lib/store'
import count from '../tasks/count'
import filter from '../tasks/filter'
import ingest from '../tasks/ingest'
import joinCampaigns from '../tasks/join'

// Before the bucket is made, which takes the length of its windows from here.
vi.hoisted(() => {
  process.env.AD_EVENTS_WINDOW_MS = '40'
})

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ad-events-'))
  vi.stubEnv('AD_EVENTS_STORE', folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

/** Sends the events in batches, in no fewer windows than `pauses` + 1, and waits until all are counted. */
async function send(events: AdEvent[], batchSize: number, pauses: number): Promise<void> {
  const batches = Array.from({ length: Math.ceil(events.length / batchSize) }, (_, i) =>
    events.slice(i * batchSize, (i + 1) * batchSize),
  )
  const perPause = Math.ceil(batches.length / (pauses + 1))
  for (let i = 0; i < batches.length; i += perPause) {
    await Promise.all(batches.slice(i, i + perPause).map((part) => ingest({ events: part })))
    await drained()
  }
}

test('every view is counted in exactly one window, for the campaign of its ad', async () => {
  const events = adEvents({ seed: 7, count: 3_000 })
  await send(events, 20, 2)
  const windows = await countedWindows()
  expect(windows.length).toBeGreaterThanOrEqual(3)
  expect(checkWindows(events, ['view'], windows)).toEqual([])
})

test('other types are counted when they are asked for', async () => {
  vi.stubEnv('AD_EVENTS_TYPES', 'click,purchase')
  const events = adEvents({ seed: 8, count: 300 })
  await send(events, 50, 0)
  const windows = await countedWindows()
  expect(checkWindows(events, ['click', 'purchase'], windows)).toEqual([])
  expect(checkWindows(events, ['view'], windows)).not.toEqual([])
})

test('the reply says how many events came and how many count', async () => {
  const events = adEvents({ seed: 9, count: 100 })
  const accepted = Object.values(countByCampaign(events, ['view'])).reduce((a, b) => a + b)
  expect(await ingest({ events })).toEqual({ received: 100, accepted })
  expect(await ingest({ events: [] })).toEqual({ received: 0, accepted: 0 })
  await drained()
})

test('filter leaves the types that are counted', async () => {
  const events = adEvents({ seed: 1, count: 50 })
  expect(await filter(events)).toEqual(events.filter(({ type }) => type === 'view'))
})

test('join leaves out ads that nobody has booked', async () => {
  const [event] = adEvents({ seed: 1, count: 1 }) as [AdEvent]
  expect(await joinCampaigns([event, { ...event, id: 'x', ad: 'ad-100' }])).toHaveLength(1)
})

test('count keeps the ids of a window and the number of each campaign', async () => {
  const objects = ['a', 'b', 'c'].map((key) => ({ key, session: 's', value: { campaign: `campaign-${key === 'c'}` } }))
  await count(objects)
  expect(await countedWindows()).toEqual([
    { events: ['a', 'b', 'c'], campaigns: { 'campaign-true': 1, 'campaign-false': 2 } },
  ])
})

test('windows and types come from the environment; a type that there is not is refused', () => {
  expect(windowMs()).toBe(40)
  vi.stubEnv('AD_EVENTS_WINDOW_MS', undefined)
  expect(windowMs()).toBe(1_000)
  expect(countedTypes()).toEqual<EventType[]>(['view'])
  vi.stubEnv('AD_EVENTS_TYPES', 'view,sale')
  expect(() => countedTypes()).toThrow("names 'sale'")
})

test('no two requests of the load carry the same event', () => {
  const inputs = Array.from({ length: 200 }, (_, index) => config.load?.request(index, Math.random).input)
  const ids = inputs.flatMap((input) => (input as { events: AdEvent[] }).events.map(({ id }) => id))
  expect(new Set(ids).size).toBe(ids.length)
})
