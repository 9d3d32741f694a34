import type { WireError } from 'fusionize/runtime'
import { expect, it, vi } from 'vitest'
import type { Item } from './attributes.js'
import { ENVELOPE_VERSION, type Envelope } from './envelope.js'
import { attemptsOf } from './retries.js'
import type { Table } from './table.js'

const RETRY_MS = 1000
const failure: { ok: false; error: WireError } = { ok: false, error: { name: 'Error', message: 'no' } }

const envelope = (ageMs: number, more: Partial<Envelope> = {}): Envelope => ({
  ...{ fusionize: ENVELOPE_VERSION, id: 'i', session: 's', task: 't', mode: 'send', external: false },
  ...{ input: {}, trace: '', parent: null, at: Date.now() - ageMs },
  ...more,
})

/** Counts its readings. @param ended what the log knows */
function world(retries: number, ended: () => number | undefined = () => 0) {
  const items = new Map<string, Item>()
  const reads: string[] = []
  const asked: string[] = []
  const buried: number[] = []
  const table = {
    put: async (item: Item & { pk: string; sk: string }) => void items.set(item.pk, item),
    async get(pk: string) {
      reads.push(pk)
      return items.get(pk)
    },
  } as Partial<Table> as Table
  const bury = async (_: Envelope, attempt: number) => void buried.push(attempt)
  const endings = async (request: string) => {
    asked.push(request)
    return ended()
  }
  const told: number[] = []
  const began = (_: Envelope, attempt: number) => void told.push(attempt)
  const attempts = attemptsOf({ table, retriesOf: () => retries, bury, endings, began }, RETRY_MS)
  return {
    reads,
    asked,
    buried,
    told,
    items,
    begin: (one: Envelope) => attempts.begin(one, 'r'),
    failed: attempts.failed,
  }
}

it('an event that Lambda cannot have retried yet is the first attempt, and nothing is read, written or said', async () => {
  const { begin, reads, asked, told, items } = world(2)
  expect(await begin(envelope(0))).toEqual({ number: 1, failures: 0 })
  expect([reads, asked, told, [...items]]).toEqual([[], [], [], []])
})

it('counts the failures of an event, asks no log, and has Lambda try again as often as the task says', async () => {
  const { begin, failed, asked, buried } = world(2)
  const first = envelope(0)
  expect(await failed(first, await begin(first), failure)).toBe(true)
  vi.useFakeTimers({ now: first.at + 2 * RETRY_MS })
  try {
    for (const [number, again] of [
      [2, true],
      [3, false],
    ] as const) {
      const attempt = await begin(first)
      expect(attempt).toEqual({ number, failures: number - 1 })
      expect(await failed(first, attempt, failure)).toBe(again)
    }
  } finally {
    vi.useRealTimers()
  }
  expect(buried).toEqual([3])
  expect(asked).toEqual([])
})

it('counts attempts that told of no failure: the first by the log, the others since they were begun', async () => {
  const { begin, failed, asked, buried, told } = world(2, () => 1)
  const late = envelope(2 * RETRY_MS)
  expect(await begin(late)).toEqual({ number: 2, failures: 0 })
  const last = await begin(late)
  expect(last).toEqual({ number: 3, failures: 0 })
  expect(asked).toEqual(['r'])
  expect(told).toEqual([2, 3])
  // Lambda knows that it was the last; to it that one is left.
  expect(await failed(late, last, failure)).toBe(true)
  expect(buried).toEqual([])
})

it('an event that waited for concurrency is the first attempt, with all its retries', async () => {
  const { begin, failed, buried } = world(1, () => 0)
  const late = envelope(2 * RETRY_MS)
  const first = await begin(late)
  expect(first).toEqual({ number: 1, failures: 0 })
  expect(await failed(late, first, failure)).toBe(true)
  const second = await begin(late)
  expect(second).toEqual({ number: 2, failures: 1 })
  expect(await failed(late, second, failure)).toBe(false)
  expect(buried).toEqual([2])
})

it('where the log does not answer, a late event may have begun before, and keeps its retries', async () => {
  const { begin, failed } = world(1, () => undefined)
  const late = envelope(2 * RETRY_MS)
  const attempt = await begin(late)
  expect(attempt).toEqual({ number: 2, failures: 0 })
  expect(await failed(late, attempt, failure)).toBe(true)
})

it('goes on from attempts that were made elsewhere', async () => {
  const { begin, failed, buried } = world(1)
  const late = envelope(2 * RETRY_MS, { attempt: 2 })
  const attempt = await begin(late)
  expect(attempt).toEqual({ number: 2, failures: 0 })
  expect(await failed(late, attempt, failure)).toBe(false)
  expect(buried).toEqual([2])
})

it('a replay begins to count anew, however late it begins', async () => {
  const { begin, failed } = world(2)
  const first = envelope(3 * RETRY_MS)
  await failed(first, { number: 1, failures: 0 }, failure)
  await failed(first, { number: 2, failures: 1 }, failure)
  expect(await begin(envelope(2 * RETRY_MS))).toEqual({ number: 1, failures: 0 })
})
