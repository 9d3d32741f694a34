import {
  callGraph,
  createMonitor,
  emptyProfile,
  mergeProfiles,
  type Profile,
  profileFromJSON,
  profileToJSON,
  quantileOf,
} from '@fusionize/planner'
import fc from 'fast-check'
import { type InvocationRecord, spanId } from 'fusionize/record'
import { allFusedSetup, remoteSetup } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { simulate } from './simulate.js'
import { iotWorld } from './world.js'

const world = iotWorld()
const load = { everyMs: 50, noise: 0.5 }
const recordsOf = (requests: number, setup = remoteSetup(world.app, 128)) =>
  simulate(world, setup, { ...load, requests }).records

function profileOf(records: readonly InvocationRecord[]): Profile {
  const monitor = createMonitor()
  for (const record of records) monitor.add(record)
  return monitor.flush()
}

test('records in any order, some of them twice, give the very same profile', () => {
  const records = recordsOf(3)
  const expected = profileToJSON(profileOf(records))
  fc.assert(
    fc.property(
      fc.shuffledSubarray(records, { minLength: records.length }),
      fc.shuffledSubarray(records),
      (shuffled, twice) => {
        const profile = profileOf([...shuffled, ...twice])
        expect(profile.duplicates).toBe(twice.length)
        expect(profileToJSON({ ...profile, duplicates: 0 })).toBe(expected)
      },
    ),
    { numRuns: 50 },
  )
})

test('merging is associative and commutative, exactly, with the empty profile as its unit', () => {
  const records = recordsOf(9)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 9, maxLength: 9 }), (partOf) => {
      const [a, b, c] = [0, 1, 2].map((part) =>
        profileOf(records.filter((record) => partOf[Number(record.session.slice(1)) - 1] === part)),
      ) as [Profile, Profile, Profile]
      const whole = profileToJSON(profileOf(records))
      expect(profileToJSON(mergeProfiles(mergeProfiles(a, b), c))).toBe(whole)
      expect(profileToJSON(mergeProfiles(a, mergeProfiles(b, c)))).toBe(whole)
      expect(profileToJSON(mergeProfiles(c, mergeProfiles(b, a)))).toBe(whole)
      expect(profileToJSON(mergeProfiles(a, emptyProfile()))).toBe(profileToJSON(a))
    }),
    { numRuns: 30 },
  )
})

test('every missing record costs exactly the links it had, and nothing else', () => {
  const records = recordsOf(4)
  fc.assert(
    fc.property(fc.subarray(records, { maxLength: 6 }), (missing) => {
      const here = records.filter((record) => !missing.includes(record))
      const profile = profileOf(here)
      const ids = new Set(here.flatMap((record) => record.spans.map((_, i) => spanId(record.span, i))))
      const parents = new Set(here.map((record) => record.parent))
      const orphans = here.filter((record) => record.parent !== null && !ids.has(record.parent)).length
      const unanswered = here
        .flatMap((record) =>
          record.spans.flatMap((span, i) => (span.route === 'remote' ? [spanId(record.span, i)] : [])),
        )
        .filter((id) => !parents.has(id)).length
      expect(profile.unmatched).toBe(orphans + unanswered)
      expect(profile.records).toBe(here.length)
      expect(profile.traces.complete).toBe(4 - new Set(missing.map((record) => record.trace)).size)
    }),
    { numRuns: 50 },
  )
})

test('a record after its trace was closed counts as late, and its times count all the same', () => {
  const records = recordsOf(1)
  const last = records.at(-1) as InvocationRecord
  const monitor = createMonitor()
  for (const record of records.slice(0, -1)) monitor.add(record)
  monitor.flush()
  monitor.add(last)
  expect(monitor.profile()).toMatchObject({ late: 1, records: records.length, traces: { complete: 0, incomplete: 1 } })
})

test('a retry is an attempt of the same invocation: no duplicate, not late, no orphan', () => {
  const records = recordsOf(1)
  const sent = records.find((record) => record.mode === 'send') as InvocationRecord
  const retry = {
    ...sent,
    attempt: 2,
    span: 'ffffffff00000000',
    start: sent.start + 1000,
    spans: sent.spans.slice(0, 1),
  }
  for (const order of [
    [...records, retry],
    [retry, ...records],
  ])
    expect(profileOf(order)).toMatchObject({ retries: 1, duplicates: 0, late: 0, unmatched: 0 })
})

test('an inline send that ran again elsewhere is no orphan: its caller’s span is known', () => {
  const [record] = recordsOf(1, allFusedSetup(world.app, 128)) as [InvocationRecord]
  const at = record.spans.findIndex((span) => span.mode === 'send')
  const again: InvocationRecord = {
    ...record,
    invocation: 'again',
    span: 'ffffffff00000000',
    parent: spanId(record.span, at),
    mode: 'send',
    spans: [{ ...(record.spans[at] as InvocationRecord['spans'][number]), parent: -1 }],
  }
  expect(profileOf([again, record]).unmatched).toBe(0)
  expect(profileOf([record, { ...again, attempt: 2 }]).unmatched).toBe(0)
})

test('a bundle is one invocation of as many runs as it has items, each with a span in its caller, in whatever order they come', () => {
  const [, leaf] = recordsOf(1) as [InvocationRecord, InvocationRecord]
  const of = (parent: number, task: string, more: object) => ({
    ...{ parent, task, mode: 'map' as const, route: 'inline' as const, start: 0, end: 10, bytesIn: 5, bytesOut: 5 },
    ...more,
  })
  const base = { ...leaf, trace: 'b'.repeat(32), attempt: 1, cold: null, mode: 'call' as const, wall: 40, reply: 40 }
  const caller: InvocationRecord = {
    ...base,
    ...{ invocation: 'c', function: 'caller', task: 'caller', span: 'aaaaaaaa00000000', parent: null },
    spans: [
      { ...of(-1, 'caller', { end: 60 }), mode: 'call' },
      ...[0, 1, 2, 3].map(() => of(0, 'item', { route: 'remote', end: 50 })),
    ],
  }
  const bundleOf = (invocation: string, first: number, items: InvocationRecord['spans']): InvocationRecord => ({
    ...base,
    ...{ invocation, function: 'item', task: 'item', span: `${invocation.repeat(8)}00000000`, items: items.length },
    parent: spanId(caller.span, first),
    spans: items,
  })
  const failed = of(-1, 'item', { end: 30, error: 'Error: no' })
  const bundles = [
    bundleOf('d', 1, [of(-1, 'item', {}), failed, of(-1, 'item', { end: 20 })]),
    bundleOf('e', 4, [of(-1, 'item', {})]),
  ]
  const expected = profileToJSON(profileOf([caller, ...bundles]))
  for (const records of [
    [...bundles, caller],
    [bundles[0], caller, bundles[1]],
  ])
    expect(profileToJSON(profileOf(records as InvocationRecord[]))).toBe(expected)
  const { tasks, edges, functions, ...rest } = profileOf([caller, ...bundles])
  expect(rest).toMatchObject({ requests: 1, unmatched: 0, traces: { complete: 1, incomplete: 0 } })
  expect(tasks.item).toMatchObject({ runs: 4, errors: 1 })
  expect(edges['caller>item map remote']).toMatchObject({ calls: 4, parallel: 4, beside: { 'map item': 4 } })
  // Handed over together: 50 ms of waiting for 40 ms until the reply, twice and not four times.
  const overhead = edges['caller>item map remote']?.overheadMs[String(leaf.memory)]
  expect(overhead && [overhead.count, quantileOf(overhead, 1)]).toEqual([2, expect.closeTo(10, 0)])
  expect(functions[`item@${leaf.memory}`]).toMatchObject({ invocations: 2, errors: 1 })
})

test('a request whose client sent a trace id of its own is still a request', () => {
  const records = recordsOf(2).map((record) =>
    record.parent === null ? { ...record, parent: 'b7ad6b7169203331' } : record,
  )
  expect(profileOf(records)).toMatchObject({ requests: 2, unmatched: 0, traces: { complete: 2, incomplete: 0 } })
})

test('open traces are bounded: the oldest is closed as incomplete', () => {
  const monitor = createMonitor({ open: 3 })
  for (const record of recordsOf(10).filter((record) => record.function === 'check-sensor')) monitor.add(record)
  expect(monitor.traces()).toHaveLength(3)
  expect(monitor.profile().traces.incomplete).toBe(10)
})

test('the profile does not grow with the records it has seen', () => {
  const records = recordsOf(100)
  const monitor = createMonitor({ remembered: 1000 })
  const fieldsAfter = (rounds: number[]) => {
    for (const round of rounds)
      for (const record of records)
        monitor.add({ ...record, invocation: `${round}.${record.invocation}`, trace: `${round}${record.trace}` })
    return (profileToJSON(monitor.profile()).match(/":/g) ?? []).length
  }
  const few = fieldsAfter([0])
  const many = fieldsAfter(Array.from({ length: 90 }, (_, i) => i + 1))
  expect(monitor.profile().records).toBe(91 * records.length)
  expect(91 * records.length).toBeGreaterThan(1e5 / 1.1)
  expect(many).toBe(few)
  expect(monitor.traces()).toHaveLength(0)
}, 30_000)

test('a profile survives its JSON text; other texts are refused', () => {
  const profile = profileOf(recordsOf(2))
  expect(profileFromJSON(profileToJSON(profile))).toEqual(profile)
  expect(() => profileFromJSON('{"v":2}')).toThrow(SyntaxError)
})

test('the hand-over of a call is its wait without the callee’s time, that of a send its wait', () => {
  const profile = profileOf(recordsOf(5))
  const median = (edge: string) => quantileOf(profile.edges[edge]?.overheadMs[128] as never, 0.5)
  expect(Math.abs(median('analyze-sensor>check-sensor call remote') - 24)).toBeLessThan(0.3)
  expect(Math.abs(median('check-air>action-signage send remote') - 62)).toBeLessThan(0.7)
})

test('it knows which calls run beside which, how often, and what they carry', () => {
  const { edges } = profileOf(recordsOf(5))
  expect(edges['check-sound>check-accident call remote']).toMatchObject({
    calls: 5,
    parallel: 5,
    beside: { 'call check-sound-level': 5 },
  })
  expect(edges['analyze-sensor>store-event call remote']).toMatchObject({ calls: 5, parallel: 0, beside: {} })
  expect(edges['analyze-sensor>store-event call remote']?.bytesIn).toMatchObject({
    count: 5,
    sum: 100,
    min: 20,
    max: 20,
  })
})

test('own times are the same inline as remote, but for what shares the core', () => {
  const inline = profileOf(recordsOf(20, allFusedSetup(world.app, 128)))
  const remote = profileOf(recordsOf(20))
  const own = (profile: Profile, task: string) => {
    const size = profile.tasks[task]?.sizes[128]
    return (size?.workMs ?? 0) / (size?.runs ?? 1)
  }
  for (const task of ['check-sensor', 'store-event']) expect(own(inline, task) / own(remote, task)).toBeCloseTo(1, 0)
})

test('the call graph counts runs per request and calls per run, both routes together', () => {
  const graph = callGraph(
    mergeProfiles(profileOf(recordsOf(4)), profileOf(recordsOf(4, allFusedSetup(world.app, 128)))),
  )
  expect(graph.nodes.find(({ task }) => task === 'action-signage')?.runsPerRequest).toBe(2)
  expect(graph.edges.find(({ from, to }) => from === 'check-air' && to === 'action-signage')).toMatchObject({
    mode: 'send',
    calls: 8,
    callsPerRun: 1,
    inlineCalls: 4,
  })
})
