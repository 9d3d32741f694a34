import { emptyProfile } from '@fusionize/planner'
import { allFusedSetup, type FusionSetup, remoteSetup, setupId } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { app, exampleOutcome, measurement } from '../../test/support/outcome.js'
import { type FinalOptions, playOff } from './finalists.js'
import type { HistoryRound } from './history.js'
import type { Evidence, Lab } from './lab.js'
import type { Bench } from './loop.js'
import { Meter } from './meter.js'

const RPS = 100
const round = (setup: FusionSetup): HistoryRound => ({
  id: setupId(setup),
  setup,
  reasons: [],
  summary: '',
  strategy: 'scripted',
  measurement: measurement(1, 1, 10),
  profile: emptyProfile(),
})
const a = round(remoteSetup(app, 128))
const b = round(allFusedSetup(app, 128))
const names = new Map([
  [a.id, 'a'],
  [b.id, 'b'],
])

/** Plays `a` against `b` on a lab whose clock the loads move on; a block takes a second more than its load. */
async function play(options: Partial<FinalOptions>, fails?: string) {
  const blocks: [who: string, from: number, count: number][] = []
  let clock = 0
  let serving = ''
  const lab: Lab = {
    facts: exampleOutcome().facts,
    requestsSpent: () => 0,
    async serve(setup) {
      serving = setupId(setup)
      return serving
    },
    async measure(arrivals, first) {
      blocks.push([names.get(serving) as string, first, arrivals.length])
      clock += 1000 + (arrivals.length / RPS) * 1000
      const error = serving === fails ? { error: 'HTTP 500' } : {}
      return { samples: arrivals.map((startMs, index) => ({ index, startMs, latencyMs: 5, ...error })), records: [] }
    },
  }
  const quiet = { plan() {}, section() {}, setup() {}, phase() {}, samples() {}, row() {}, note() {} }
  const bench: Bench = {
    lab,
    meter: new Meter(),
    watcher: quiet,
    context: { app, facts: lab.facts, goal: { minimize: 'p50' }, constraints: {} },
    read: ({ samples }) => ({ measurement: measurement(5, 1, samples.length), profile: emptyProfile(), traces: [] }),
    arrivals: Array.from({ length: 300 }, (_, i) => i * 10),
  }
  const had = (count: number): Evidence => ({
    samples: Array.from({ length: count }, (_, index) => ({ index, startMs: index, latencyMs: 5 })),
    records: [],
  })
  const evidence = new Map([
    [a.id, had(300)],
    [b.id, had(150)],
  ])
  const found = await playOff(bench, [a, b], evidence, {
    rps: RPS,
    samples: 1000,
    blockRequests: 425,
    blockSeconds: 1,
    now: () => clock,
    ...options,
  })
  return { blocks, found, seconds: clock / 1000 }
}

test('finalists take turns in reversed order, with the same requests in a turn, until each has its samples', async () => {
  const { blocks, found } = await play({})
  expect(blocks).toEqual([
    ['a', 300, 425],
    ['b', 300, 425],
    ['b', 725, 425],
    ['a', 725, 275],
  ])
  expect(found.map(({ measurement }) => measurement.requests)).toEqual([1000, 1000])
})

test('the last turn gets smaller for all alike when time is short, and none begins that is over too late', async () => {
  const { blocks, found, seconds } = await play({ deadline: 15_000 })
  expect(blocks.map(([who, , count]) => [who, count])).toEqual([
    ['a', 425],
    ['b', 425],
    ['b', 125],
    ['a', 125],
  ])
  expect(seconds).toBeLessThanOrEqual(15)
  expect(found.map(({ measurement }) => measurement.requests)).toEqual([850, 700])
  expect((await play({ deadline: 2500 })).blocks).toEqual([])
})

test('a finalist that fails when measured again is out, and says why', async () => {
  const { blocks, found } = await play({}, a.id)
  expect(blocks.map(([who]) => who)).toEqual(['a', 'b', 'b'])
  expect(found[0]?.failure).toMatch(/425 requests failed when measured again \(HTTP 500\)/)
  expect(found[1]?.failure).toBeUndefined()
})
