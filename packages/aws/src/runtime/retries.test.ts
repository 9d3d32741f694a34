import type { WireError } from 'fusionize/runtime'
import { expect, it } from 'vitest'
import { ENVELOPE_VERSION, type Envelope } from './envelope.js'
import { attemptsOf } from './retries.js'
import type { Item, Table } from './table.js'

const RETRY_MS = 1000
const failure: { ok: false; error: WireError } = { ok: false, error: { name: 'Error', message: 'no' } }

const envelope = (ageMs: number, more: Partial<Envelope> = {}): Envelope => ({
  ...{ fusionize: ENVELOPE_VERSION, id: 'i', session: 's', task: 't', mode: 'send', external: false },
  ...{ input: {}, trace: '', parent: null, at: Date.now() - ageMs },
  ...more,
})

/** Counts its readings. */
function world(retries: number) {
  const items = new Map<string, Item>()
  const reads: string[] = []
  const buried: number[] = []
  const table = {
    put: async (item: Item & { pk: string; sk: string }) => void items.set(item.pk, item),
    async get(pk: string) {
      reads.push(pk)
      return items.get(pk)
    },
  } as Partial<Table> as Table
  const bury = async (_: Envelope, attempt: number) => void buried.push(attempt)
  return { reads, buried, attempts: attemptsOf(table, () => retries, bury, RETRY_MS) }
}

it('an event that Lambda cannot have retried yet is the first attempt, and nothing is read', async () => {
  const { attempts, reads } = world(2)
  expect(await attempts.of(envelope(0))).toBe(1)
  expect(reads).toEqual([])
})

it('counts the failures of an event, and has Lambda try again as often as the task says', async () => {
  const { attempts, buried } = world(2)
  const late = envelope(2 * RETRY_MS)
  for (const [attempt, again] of [
    [1, true],
    [2, true],
    [3, false],
  ] as const) {
    expect(await attempts.of(late)).toBe(attempt)
    expect(await attempts.failed(late, attempt, failure)).toBe(again)
  }
  expect(buried).toEqual([3])
})

it('goes on from attempts that were made elsewhere', async () => {
  const { attempts, buried } = world(1)
  const late = envelope(2 * RETRY_MS, { attempt: 2 })
  expect(await attempts.of(late)).toBe(2)
  expect(await attempts.failed(late, 2, failure)).toBe(false)
  expect(buried).toEqual([2])
})

it('a replay begins to count anew, however late it begins', async () => {
  const { attempts } = world(2)
  const first = envelope(3 * RETRY_MS)
  await attempts.failed(first, 1, failure)
  await attempts.failed(first, 2, failure)
  expect(await attempts.of(envelope(2 * RETRY_MS))).toBe(1)
})
