import fc from 'fast-check'
import type { BucketObject } from 'fusionize'
import { bucket, byBatchSize, bySet, byTime, immediate, type Json, redundant, task } from 'fusionize'
import { expect, it } from 'vitest'
import { Committed } from './committed.js'
import { type Faults, Interleaved, type Script } from './interleaved.js'
import { definitionsOf, keysOf } from './world.js'

const one = task('one', async (_: BucketObject<Json>) => {})
const many = task('many', async (_: BucketObject<Json>[]) => {})
const rest = task('rest', async (_: BucketObject<Json>[]) => {})

const last = task('last', async (_: BucketObject<Json>[]) => {})

const names = ['events', 'parts', 'firsts', 'batches', 'pairs', 'windows', 'waits', 'mixed'] as const
const definitions = definitionsOf(
  bucket('events').on(immediate(), one),
  bucket('parts').on(bySet(['a', 'b'], { onIncomplete: rest }), many),
  bucket('firsts').on(redundant(2, 3), many),
  bucket('batches').on(byBatchSize(3, { scope: 'session', flush: true }), many),
  bucket('pairs').on(byBatchSize(2), many),
  bucket('windows').on(byTime(1000), many),
  bucket('waits').on(byBatchSize(4, { scope: 'session', maxWaitMs: 5000 }), many),
  bucket('log').on(byBatchSize(2, { scope: 'session', onIncomplete: last }), last),
  bucket('mixed').on(immediate(), one).on(byBatchSize(3), many),
)

const puts = fc.array(
  fc.record({ bucket: fc.constantFrom(...names), key: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.nat(1) }),
  { maxLength: 4 },
)
const single: fc.Arbitrary<Script> = fc.record({ puts, sends: fc.constant([] as Script[]) })
const leaf: fc.Arbitrary<Script> = fc.record({ puts, sends: fc.array(single, { maxLength: 1 }) })
const script: fc.Arbitrary<Script> = fc.record({
  puts,
  sends: fc.array(leaf, { maxLength: 3 }),
  calls: fc.array(leaf, { maxLength: 2 }),
})
const often = fc.constantFrom(0, 0, 8, 30)
const faults: fc.Arbitrary<Faults> = fc.record({ crash: often, lost: often, error: often, twice: often })
const totals = { fired: 0, crashes: 0, conflicts: 0 }
const cases = fc.tuple(fc.integer(), faults, fc.array(script, { minLength: 1, maxLength: 3 }))

const a = (bucket: string) => ({ bucket, key: 'a', value: 0 })

/** Cases that once failed. */
const saved: [number, Faults, Script[]][] = [
  // What a bucket of the application fired for a session was not counted before the session ended.
  [
    8,
    { crash: 0, lost: 0, error: 8, twice: 0 },
    [
      {
        puts: [],
        sends: [
          { puts: [], sends: [] },
          { puts: ['a', 'a'].map((key) => ({ bucket: 'mixed', key, value: 0 })), sends: [] },
        ],
      },
      { puts: ['events', 'mixed'].map((bucket) => ({ bucket, key: 'a', value: 0 })), sends: [] },
    ],
  ],
  [
    -579220059,
    { crash: 8, lost: 0, error: 0, twice: 0 },
    [
      {
        puts: [],
        sends: [{ puts: ['firsts', 'events', 'windows'].map(a), sends: [] }],
        calls: [{ puts: ['pairs', 'events', 'mixed'].map(a), sends: [{ puts: [], sends: [] }] }],
      },
      {
        puts: [],
        sends: [],
        calls: [{ puts: ['parts', 'batches', 'events', 'firsts'].map(a), sends: [{ puts: [], sends: [] }] }],
      },
    ],
  ],
]

it('sandboxes that die, are told nothing, and put at the same time fire what one bucket in memory fires', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ([seed, faulty, scripts]) => {
      const all = new Interleaved(definitions, seed, faulty)
      const committed = new Committed(definitions, all.world.table)
      try {
        for (const [i, one] of scripts.entries()) all.begin(`s${i}`, one, i % 2 === 1)
        await all.run()
        check(all, committed, faulty)
      } finally {
        committed.close()
      }
    }),
    {
      numRuns: Number(process.env.RUNS ?? 150),
      seed: Number(process.env.SEED ?? 20_261),
      examples: saved.map((one) => [one]),
    },
  )
  if (process.env.SHOW) console.log(totals)
  for (const count of Object.values(totals)) expect(count).toBeGreaterThan(100)
})

function refusedOtherwise({ refused }: Interleaved): string[] {
  return refused.flatMap(({ put, code }) => (code === 'SESSION_CLOSED' ? [] : [put]))
}

function check(all: Interleaved, committed: Committed, faulty: Faults): void {
  const handed = new Map<string, { id: string; task: string; keys: string[] }>()
  for (const send of all.delivered) {
    const seen = { id: send.id, task: send.task, keys: keysOf(send) }
    if (handed.has(send.id)) expect(seen).toEqual(handed.get(send.id))
    handed.set(send.id, seen)
  }
  const expected = [...committed.fired.values()].map(({ id, task, objects }) => ({
    id,
    task,
    keys: objects.map(({ key }) => key),
  }))
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
  expect([...handed.values()].sort(byId)).toEqual(expected.sort(byId))
  for (const put of all.taken) expect(committed.puts).toContain(put)
  const closed = all.refused.filter(({ code }) => code === 'SESSION_CLOSED')
  // Whoever is delivered once more than need be is over, and not refused.
  expect(closed.filter(({ sent }) => sent)).toEqual([])
  if (faulty.crash + faulty.twice + faulty.error === 0) expect(closed).toEqual([])
  // An invocation that is run once more than it need be finds its session closed, but what it puts counted before.
  if (faulty.twice === 0)
    for (const { put } of closed) expect([...committed.puts, ...refusedOtherwise(all)]).toContain(put)
  totals.fired += committed.fired.size
  totals.crashes += all.counts.crashes
  totals.conflicts += all.counts.conflicts
}
