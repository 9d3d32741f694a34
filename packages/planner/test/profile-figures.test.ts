import {
  createMonitor,
  mergeProfiles,
  type Profile,
  profileFigures,
  profileToJSON,
  seededRandom,
} from '@fusionize/planner'
import fc from 'fast-check'
import { type InvocationRecord, RECORD_VERSION, type Span, spanId } from 'fusionize/record'
import { remoteSetup } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { emptyPairs, keyOf, mergePairs, notePair } from '../src/statistics/pairs.js'
import { simulate } from './simulate.js'
import { iotWorld } from './world.js'

function profileOf(records: readonly InvocationRecord[], codeBytes: Record<string, number> = {}): Profile {
  const monitor = createMonitor({ codeBytes })
  for (const record of records) monitor.add(record)
  return monitor.flush()
}

const spanAt = (parent: number, task: string, at: [start: number, end: number], more: Partial<Span> = {}): Span => ({
  ...{ parent, task, mode: 'call', route: 'inline', start: at[0], end: at[1], bytesIn: 10, bytesOut: 10 },
  ...more,
})

let count = 0
function recordOf(task: string, spans: Span[], more: Partial<InvocationRecord> = {}): InvocationRecord {
  const number = (++count).toString(16).padStart(8, '0')
  const end = spans[0]?.end ?? 0
  return {
    ...{ v: RECORD_VERSION, app: 'a', setup: 's', function: task, task, sandbox: 'x', session: number },
    ...{ invocation: number, trace: number.padStart(32, '0'), span: `${number}00000000`, parent: null, mode: 'call' },
    ...{ attempt: 1, cold: null, start: 1e6 + count, reply: end, wall: end, peakMb: 50, memory: 512, concurrent: 1 },
    ...more,
    spans,
  } as InvocationRecord
}

/** A caller with calls of w1 and w2 beside each other, or a map of `item`. */
const fanOut = (times: readonly number[], names: (i: number) => [string, Span['mode']]): InvocationRecord =>
  recordOf('caller', [
    spanAt(-1, 'caller', [0, Math.max(...times) + 1]),
    ...times.map((ms, i) => {
      const [task, mode] = names(i)
      return spanAt(0, task, [0.5, 0.5 + ms], { route: 'remote', mode })
    }),
  ])

const random = seededRandom(6)
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** Workers of which a share of the variation is the request's. */
function workers(requests: number, width: number, shared: number): number[][] {
  return Array.from({ length: requests }, () => {
    const common = normal()
    return Array.from(
      { length: width },
      () => 100 * Math.exp(0.3 * (Math.sqrt(shared) * common + Math.sqrt(1 - shared) * normal())),
    )
  })
}

test('how the workers of a map, and calls beside each other, go together is told with its interval', () => {
  for (const [names, target] of [
    [() => ['item', 'map'], { mode: 'map', task: 'item' }],
    [(i: number) => [`w${i}`, 'call'], { mode: 'call', task: 'w1' }],
  ] as [(i: number) => [string, Span['mode']], { mode: string; task: string }][]) {
    const of = (shared: number, width: number) =>
      profileFigures(profileOf(workers(400, width, shared).map((times) => fanOut(times, names)))).calls[0]?.beside.find(
        (other) => other.task === target.task,
      )
    const together = of(0.9, 2)
    expect(together).toMatchObject({ ...target, share: { value: 1, n: names(0)[1] === 'map' ? 800 : 400 } })
    // Of normals with a correlation of 0.9 the ranks' is 6/π · asin(0.45) = 0.89.
    expect(together?.correlation?.low).toBeLessThan(0.89)
    expect(together?.correlation?.high).toBeGreaterThan(0.89)
    expect(together?.correlation?.low).toBeGreaterThan(0.8)
    const apart = of(0, 2)
    expect(Math.abs(apart?.correlation?.value ?? 1)).toBeLessThan(0.2)
    expect(apart?.correlation?.n).toBe(200)
  }
})

test('a failed worker, and calls one after the other, say nothing of correlation', () => {
  const failing = workers(50, 2, 1).map((times) => {
    const record = fanOut(times, () => ['item', 'map'])
    return { ...record, spans: record.spans.map((span, i) => (i === 2 ? { ...span, error: 'Error: no' } : span)) }
  })
  const oneByOne = workers(50, 2, 1).map(([a = 0, b = 0]) =>
    recordOf('caller', [
      spanAt(-1, 'caller', [0, a + b + 3]),
      spanAt(0, 'item', [1, 1 + a], { route: 'remote' }),
      spanAt(0, 'item', [2 + a, 2 + a + b], { route: 'remote' }),
    ]),
  )
  for (const records of [failing, oneByOne])
    for (const { beside } of profileFigures(profileOf(records)).calls)
      for (const { correlation } of beside) expect(correlation).toBeUndefined()
})

test('what a hand-over costs is told by what it carries: so much without any, so much a MB', () => {
  const records = Array.from({ length: 300 }, () => {
    const bytes = Math.round(5e6 * random())
    const overheadMs = (20 + (4 * bytes) / 1e6) * (0.95 + 0.1 * random())
    const caller = recordOf('a', [
      spanAt(-1, 'a', [0, 40 + overheadMs]),
      spanAt(0, 'b', [10, 40 + overheadMs], { route: 'remote', bytesIn: bytes - 1000, bytesOut: 1000 }),
    ])
    const callee = recordOf('b', [spanAt(-1, 'b', [0, 30])], { parent: spanId(caller.span, 1), trace: caller.trace })
    return [caller, callee]
  }).flat()
  const [call] = profileFigures(profileOf(records)).calls
  expect(call?.handOvers).toHaveLength(1)
  const [handOver] = call?.handOvers ?? []
  expect(handOver?.memoryMb).toBe(512)
  for (const [estimate, truth] of [
    [handOver?.perMbMs, 4],
    [handOver?.atZeroMs, 20],
    [handOver?.p50Ms, 30],
  ] as const) {
    expect(estimate?.low).toBeLessThan(truth * 1.03)
    expect(estimate?.high).toBeGreaterThan(truth * 0.97)
    expect((estimate?.high ?? 99) - (estimate?.low ?? 0)).toBeLessThan(truth * 0.2)
  }
})

test('start-ups are told by the size of the code, where it is known', () => {
  const codeBytes = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`f${i}`, 20_000 + 300_000 * i]))
  const records = Array.from({ length: 160 }, (_, i) => {
    const name = `f${i % 8}`
    const coldMs = (40 + ((codeBytes[name] ?? 0) / 1e6) * 25) * (0.97 + 0.06 * random())
    return recordOf(name, [spanAt(-1, name, [0, 5])], i % 2 === 0 || i > 80 ? { cold: coldMs } : {})
  })
  const [known] = profileFigures(profileOf(records, codeBytes)).startUps
  expect(known?.perMbMs?.low).toBeLessThan(25)
  expect(known?.perMbMs?.high).toBeGreaterThan(25)
  expect(known?.atZeroMs?.value).toBeGreaterThan(38)
  expect(known?.atZeroMs?.value).toBeLessThan(42)
  expect(known?.byFunction).toHaveLength(8)
  expect(known?.byFunction[0]?.share).toMatchObject({ value: 1, n: 20 })
  const [unknown] = profileFigures(profileOf(records)).startUps
  expect(unknown).not.toHaveProperty('perMbMs')
  expect(unknown?.byFunction).toEqual(known?.byFunction)
})

test('own time is CPU and wait, at each size', () => {
  const world = iotWorld()
  const records = [128, 768].flatMap(
    (memory) => simulate(world, remoteSetup(world.app, memory), { requests: 30, everyMs: 5000, noise: 0.2 }).records,
  )
  // Two loads of the same sessions: their records are not duplicates.
  const { ownTimes } = profileFigures(
    profileOf(records.map((record) => ({ ...record, invocation: `${record.memory} ${record.invocation}` }))),
  )
  const steps = Object.entries(world.scripts)
  for (const [task, script] of steps) {
    const sum = (name: 'cpuMs' | 'waitMs') =>
      script.reduce((total, step) => total + (name in step ? (step as Record<typeof name, number>)[name] : 0), 0)
    for (const memoryMb of [128, 768]) {
      const seen = ownTimes.find((own) => own.task === task && own.memoryMb === memoryMb)
      const [split, ...more] = seen?.split ?? []
      expect(more).toEqual([])
      expect(split?.threads).toBe(1)
      expect(split?.cpuMs.n).toBe(seen?.runs)
      expect(split?.cpuMs.value).toBeCloseTo(sum('cpuMs'), -1)
      // At a share of a core, computing goes by with the core taken away in between: that is no CPU.
      const away = sum('cpuMs') * (world.facts.mbPerCore / memoryMb - 1)
      const wait = sum('waitMs') + away
      expect(Math.abs((split?.waitMs.value ?? 0) - wait)).toBeLessThan(0.05 * wait + 0.1)
    }
  }
})

test('runs that keep several threads busy, and those in a pool, are told apart by how many', () => {
  const alone = (cpu: number) => recordOf('f', [spanAt(-1, 'f', [0, 100], { cpu })], { cpu })
  const pooled = recordOf(
    'g',
    [
      spanAt(-1, 'g', [0, 52]),
      ...[0, 1, 2, 3].map(() => spanAt(0, 'item', [1, 51], { mode: 'map', pooled: true, cpu: 1 })),
    ],
    { cpu: 152 },
  )
  const { ownTimes } = profileFigures(profileOf([alone(80), alone(90), alone(190), pooled]))
  const of = (task: string) => ownTimes.find((own) => own.task === task)?.split
  expect(of('f')).toMatchObject([
    { threads: 1, cpuMs: { value: 85, n: 2 }, waitMs: { value: 15, n: 2 } },
    { threads: 2, cpuMs: { value: 190, n: 1 }, waitMs: { value: 5, n: 1 } },
  ])
  // 152 ms of the process less 2 of the loop are 37.5 for each of four.
  expect(of('item')).toMatchObject([{ threads: 4, cpuMs: { value: 37.5, n: 4 }, waitMs: { value: 12.5, n: 4 } }])
})

test('parts together are the whole, to the last digit, whatever they are told of', () => {
  const world = iotWorld()
  const { records } = simulate(world, remoteSetup(world.app, 128), {
    requests: 9,
    everyMs: 50,
    noise: 0.5,
    forceCold: true,
  })
  const codeBytes = Object.fromEntries(Object.keys(world.scripts).map((task, i) => [task, 1000 * (i + 1)]))
  const whole = profileOf(records, codeBytes)
  expect(Object.values(whole.edges).some(({ together }) => together)).toBe(true)
  expect(Object.values(whole.edges).some(({ handOver }) => handOver)).toBe(true)
  expect(whole.startUps).toBeDefined()
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 9, maxLength: 9 }), (partOf) => {
      const [a, b, c] = [0, 1, 2].map((part) =>
        profileOf(
          records.filter((record) => partOf[Number(record.session.slice(1)) - 1] === part),
          codeBytes,
        ),
      ) as [Profile, Profile, Profile]
      expect(profileToJSON(mergeProfiles(mergeProfiles(c, a), b))).toBe(profileToJSON(whole))
    }),
    { numRuns: 20, seed: 8 },
  )
})

test('a sample of pairs is bounded, and the same however the stream was cut', () => {
  const item = fc.tuple(fc.nat(50), fc.nat(9), fc.nat(9))
  const of = (items: [number, number, number][]) => {
    const pairs = emptyPairs()
    for (const [key, x, y] of items) notePair(pairs, key, x, y)
    return pairs
  }
  fc.assert(
    fc.property(fc.array(item, { maxLength: 500 }), fc.nat(500), (items, cut) => {
      const whole = of(items)
      expect(mergePairs(of(items.slice(cut)), of(items.slice(0, cut)))).toEqual(whole)
      expect(of([...items].reverse())).toEqual(whole)
      expect(whole.seen).toBe(items.length)
      expect(whole.kept).toHaveLength(Math.min(200, items.length))
    }),
    { seed: 3 },
  )
  // Keys have nothing to do with what they name: the sample of a growing stream is spread over all of it.
  const pairs = emptyPairs()
  for (let i = 0; i < 10_000; i++) notePair(pairs, keyOf('r', i), i, 0)
  const middle = pairs.kept.reduce((sum, [, x]) => sum + x, 0) / 200
  expect(Math.abs(middle - 5000)).toBeLessThan(4 * (10_000 / Math.sqrt(12 * 200)))
})
