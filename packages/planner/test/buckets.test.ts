import {
  callGraph,
  createMonitor,
  emptyProfile,
  mergeProfiles,
  type Profile,
  profileToJSON,
  quantileOf,
  type Round,
  strategies,
} from '@fusionize/planner'
import fc from 'fast-check'
import { formatRecord, type InvocationRecord, parseRecord } from 'fusionize/record'
import { type Constraints, parseSetup, remoteSetup } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { contextOf, roundOf, runStrategy } from './run.js'
import { simulate } from './simulate.js'
import { type Starts, type Step, worldOf } from './world.js'

const closure = strategies.closure as NonNullable<(typeof strategies)[string]>
const balanced = { minimize: 'balanced' } as const

const scripts: Record<string, Step[]> = {
  shoot: [{ cpuMs: 5 }, { put: ['frames', 'frames'] }, { call: ['stamp'] }, { put: ['log'] }],
  stamp: [{ waitMs: 2 }, { put: ['frames'] }],
  archive: [{ waitMs: 3 }],
  detect: [{ cpuMs: 10 }, { call: ['stamp2'] }],
  stamp2: [{ waitMs: 1 }],
  trace: [{ waitMs: 1 }],
}
const buckets: Record<string, Starts> = {
  frames: { tasks: ['detect', 'archive'] },
  log: { tasks: ['trace'], fusible: false },
}
const world = worldOf('video', scripts, {}, buckets)
const remote = remoteSetup(world.app, 128)
/** `shoot` evaluates `frames` itself, `detect` runs in it, `archive` starts as an invocation of its own. */
const fused = parseSetup(
  '(shoot, stamp:call, detect:send, stamp2:call | frames)@128-(archive)@128-(detect)@128-(stamp)@128-(stamp2)@128-(trace)@128',
)

const recordsOf = (requests: number, setup = remote) => simulate(world, setup, { requests, everyMs: 50 }).records

function profileOf(records: readonly InvocationRecord[]): Profile {
  const monitor = createMonitor()
  for (const record of records) monitor.add(parseRecord(formatRecord(record)))
  return monitor.flush()
}

test('the profile counts what was put and started, by task and route, with its waits', () => {
  const { buckets: remotely, requests } = profileOf(recordsOf(4))
  expect(requests).toBe(4)
  expect(remotely?.frames?.puts).toEqual({
    shoot: { runs: 4, puts: 8, bytes: 800 },
    stamp: { runs: 4, puts: 4, bytes: 400 },
  })
  const detect = remotely?.frames?.firings['detect remote']
  expect(detect).toMatchObject({
    to: 'detect',
    route: 'remote',
    firings: 12,
    objects: { sum: 12 },
    bytes: { sum: 1200 },
  })
  expect(quantileOf(detect?.waitMs as never, 0.5)).toBeCloseTo(world.handOverMs('send', 128), -1)

  const firings = profileOf(recordsOf(4, fused)).buckets?.frames?.firings ?? {}
  expect(Object.keys(firings).sort()).toEqual(['archive remote', 'detect inline'])
  expect(firings['detect inline']).toMatchObject({ firings: 12, waitMs: { max: 0 } })
})

test('what a bucket started is a send of the task that put last, told apart from other sends', () => {
  for (const [setup, route] of [
    [remote, 'remote'],
    [fused, 'inline'],
  ] as const) {
    const { edges } = profileOf(recordsOf(3, setup))
    expect(edges[`shoot>detect send ${route}`]).toMatchObject({ calls: 6, buckets: { frames: 6 } })
    expect(edges[`stamp>detect send ${route}`]).toMatchObject({ calls: 3, buckets: { frames: 3 } })
    expect(edges['shoot>archive send remote']).toMatchObject({ calls: 6, buckets: { frames: 6 } })
    expect(edges['shoot>trace send remote']).toMatchObject({ calls: 3, buckets: { log: 3 }, overheadMs: {} })
    expect(edges['shoot>stamp call remote']?.buckets ?? edges['shoot>stamp call inline']?.buckets).toBeUndefined()
  }
})

test('the call graph tells buckets, and which sends went through them', () => {
  const graph = callGraph(mergeProfiles(profileOf(recordsOf(2)), profileOf(recordsOf(2, fused))))
  expect(graph.edges.find(({ from, to }) => from === 'shoot' && to === 'detect')).toMatchObject({
    calls: 8,
    inlineCalls: 4,
    callsPerRun: 2,
    buckets: { frames: 8 },
  })
  const [frames, log] = graph.buckets
  expect(frames?.puts).toContainEqual({ from: 'stamp', puts: 4, objectBytes: 100 })
  expect(frames?.firings.map(({ to, route }) => `${to} ${route}`).sort()).toEqual([
    'archive remote',
    'detect inline',
    'detect remote',
  ])
  expect(log).toMatchObject({ bucket: 'log', firings: [{ to: 'trace', firings: 4, objects: 1, bytes: 100 }] })
})

test('records in any order give the very same profile, and none is late or without its caller', () => {
  for (const setup of [remote, fused]) {
    const records = recordsOf(3, setup)
    const expected = profileOf(records)
    expect(expected).toMatchObject({ late: 0, unmatched: 0, traces: { complete: 3, incomplete: 0 } })
    fc.assert(
      fc.property(fc.shuffledSubarray(records, { minLength: records.length }), (shuffled) => {
        expect(profileToJSON(profileOf(shuffled))).toBe(profileToJSON(expected))
      }),
      { numRuns: 50 },
    )
  }
})

test('merging profiles with buckets is exact, and with those without', () => {
  const records = recordsOf(6)
  const half = (odd: number) => profileOf(records.filter((record) => Number(record.session.slice(1)) % 2 === odd))
  const whole = profileToJSON(profileOf(records))
  expect(profileToJSON(mergeProfiles(half(0), half(1)))).toBe(whole)
  expect(profileToJSON(mergeProfiles(emptyProfile(), profileOf(records)))).toBe(whole)
  expect(mergeProfiles(emptyProfile(), emptyProfile())).not.toHaveProperty('buckets')
})

test('a firing whose producer never reports is unmatched, a retry is no second firing, a timer’s firing no request', () => {
  const records = recordsOf(1)
  const detect = records.filter((record) => record.function === 'detect')
  expect(profileOf(detect)).toMatchObject({ requests: 0, unmatched: 2 * detect.length })
  const [first] = detect as [InvocationRecord]
  const again = profileOf([
    ...records,
    { ...first, attempt: 2, span: 'ffffffff00000000', spans: first.spans.slice(0, 1) },
  ])
  expect(again.buckets?.frames?.firings['detect remote']?.firings).toBe(3)
  expect(again).toMatchObject({ retries: 1, unmatched: 0 })
  const timer = { ...(records.find((record) => record.function === 'trace') as InvocationRecord), parent: null }
  expect(profileOf([timer])).toMatchObject({ requests: 0, unmatched: 0, traces: { complete: 1, incomplete: 0 } })
})

test('a trace goes on after it was closed: what it kept stays whole, and its hand-overs are seen', () => {
  const monitor = createMonitor({ kept: 10 })
  const records = recordsOf(1)
  const first = records.filter((record) => ['shoot', 'stamp'].includes(record.function))
  for (const record of first) monitor.add(record)
  expect(monitor.traces()).toMatchObject([{ complete: true }])
  for (const record of records) if (!first.includes(record)) monitor.add(record)
  expect(monitor.traces()).toHaveLength(1)
  expect(monitor.traces()[0]?.records).toHaveLength(records.length)
  expect(monitor.profile().edges['detect>stamp2 call remote']?.overheadMs[128]?.count).toBe(3)
})

test('producers and firings that wait for each other are bounded', () => {
  const monitor = createMonitor({ remembered: 5 })
  for (const record of recordsOf(10).filter((record) => record.fired)) monitor.add(record)
  expect(monitor.profile().unmatched).toBeGreaterThanOrEqual(60)
})

function pathOf(constraints: Constraints = {}, minimize: 'balanced' | 'cost' = 'balanced', of = world) {
  const [, path] = runStrategy(closure, of, contextOf(of, { minimize }, constraints))
  const { setup, reasons } = path as Round
  return { setup, why: new Map(reasons.map(({ change, why }) => [change, why])) }
}

test('closure fuses a bucket with what it starts, and says which and why', () => {
  const { setup, why } = pathOf()
  expect(setup.functions.shoot).toMatchObject({ buckets: ['frames'], inline: { send: ['archive', 'detect'] } })
  expect(why.get('shoot sends to detect through bucket frames inline')).toMatch(
    /bucket frames is evaluated inside: .*2 per run of shoot; what it starts runs after the reply/,
  )
})

test('closure never fuses a bucket that the platform must evaluate', () => {
  const { setup, why } = pathOf()
  for (const { buckets, inline } of Object.values(setup.functions)) {
    expect(buckets).not.toContain('log')
    expect(inline.send).not.toContain('trace')
  }
  expect(why.get('shoot sends to trace through bucket log remotely')).toMatch(/the platform evaluates bucket log/)
})

test('a bucket that starts a task which must be alone is not fused, as its function would contain the task', () => {
  const { setup, why } = pathOf({ isolate: ['archive'] })
  expect(setup.functions.shoot).toMatchObject({ buckets: [], inline: { send: [] } })
  expect(why.get('shoot sends to detect through bucket frames remotely')).toMatch(/constraint .*archive is isolated/)
})

test('what is better apart is in no list: neither its bucket nor it', () => {
  const waiting = worldOf(
    'waiting',
    { a: [{ cpuMs: 60 }, { put: ['slow'] }], b: [{ waitMs: 4000 }] },
    {},
    { slow: { tasks: ['b'] } },
  )
  const { setup, why } = pathOf({ memory: { a: { min: 1024 } } }, 'cost', waiting)
  expect(setup.functions.a).toMatchObject({ buckets: [], inline: { send: [] } })
  expect(why.get('a sends to b through bucket slow remotely')).toMatch(/better apart/)
})

test('a task that is also sent to directly keeps that way inline beside a bucket that stays with the platform', () => {
  const both = worldOf(
    'both',
    { a: [{ cpuMs: 5 }, { send: ['c'] }, { call: ['b'] }], b: [{ put: ['far'] }], c: [{ waitMs: 1 }] },
    {},
    { far: { tasks: ['c'], fusible: false } },
  )
  const round = roundOf(both, 'closure', closure.first(contextOf(both, balanced), 128))
  const next = closure.next([round], contextOf(both, balanced))
  expect(next?.setup.functions.a).toMatchObject({ buckets: [], inline: { send: ['c'] } })
})
