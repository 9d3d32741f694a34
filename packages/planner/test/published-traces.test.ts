import { predict, publishedImporter, type RequestTrace, readPublishedSetups, withMemoryOf } from '@fusionize/planner'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { graphOf, nested } from '../src/model/nest.js'
import { stagesOf } from '../src/traces/published-structure.js'
import { madeRecords } from './published-world.js'

/** A record as the prototype wrote it; calls as `[called, ms, 'remote'|'local', 'call'|'send']`. */
function record(
  fn: string,
  startTimestamp: number,
  ms: number,
  calls: [called: string, ms: number, where: 'remote' | 'local', mode: 'call' | 'send'][] = [],
  more: Record<string, unknown> = {},
): string {
  return JSON.stringify({
    traceId: 's1-shop-128-abc',
    currentFunction: fn,
    memoryAvail: '128',
    isRootInvocation: fn === 'shop',
    isColdStart: false,
    startTimestamp,
    endTimestamp: startTimestamp + ms + 2,
    billedDuration: ms + 3,
    internalDuration: ms,
    calls: [
      ...calls.map(([called, time, where, mode]) => ({
        called,
        caller: fn,
        local: where === 'local',
        sync: mode === 'call',
        time,
      })),
      { called: fn, caller: fn, local: true, sync: true, time: ms },
    ],
    ...more,
  })
}

function imported(...lines: string[]) {
  const importer = publishedImporter()
  for (const [i, line] of lines.entries()) importer.add('s1.ndjson', i + 1, line)
  return importer.end()
}

test('a request’s calls are joined with the invocations that they started', () => {
  const { traces, skipped, repaired } = imported(
    record('pay', 1020, 50),
    record('shop', 1000, 100, [
      ['pay', 80, 'remote', 'call'],
      ['mail', 15, 'remote', 'send'],
    ]),
    record('mail', 1150, 30),
  )
  expect(skipped).toEqual([])
  expect(repaired).toEqual({})
  expect(traces).toHaveLength(1)
  const [trace] = traces
  expect(trace?.arrivalMs).toBe(1000)
  expect(trace?.runs.map(({ task, parent, mode, route }) => [task, parent, mode, route])).toEqual([
    ['shop', -1, 'call', 'remote'],
    ['pay', 0, 'call', 'remote'],
    ['mail', 0, 'send', 'remote'],
  ])
  // Both calls cannot follow each other and leave 100 ms: they do, with 5 ms of own work before them.
  expect(trace?.runs[1]?.call).toEqual({ startMs: 5, endMs: 85 })
  expect(trace?.runs[2]?.call).toEqual({ startMs: 85, endMs: 100 })
  // The root's handler counts, as in the published latency; a callee answers when its task has ended.
  expect(trace?.runs[0]?.endMs).toBe(102)
  expect(trace?.runs[1]?.endMs).toBe(70)
  expect(trace?.invocations.map(({ billedMs }) => billedMs)).toEqual([103, 53, 33])
})

test('invocations that were merged into one record are told apart, also beside records of their own', () => {
  const calls: Parameters<typeof record>[3] = [
    ['mail', 10, 'remote', 'send'],
    ['mail', 12, 'remote', 'send'],
  ]
  const merged = record('mail', 1110, 30, [], {
    endTimestamp: 1200,
    calls: [30, 44].map((time) => ({ called: 'mail', caller: 'mail', local: true, sync: true, time })),
  })
  for (const lines of [[merged], [merged, merged], [merged, record('mail', 1150, 44)]]) {
    const { traces } = imported(record('shop', 1000, 100, calls), ...lines)
    const times = traces[0]?.invocations.slice(1).map((one) => (one.billedMs ?? 0) - 3)
    expect(times?.sort()).toEqual([30, 44])
  }
})

test('doubled calls count once, equal ones of two runs twice', () => {
  const twice = (line: string) => {
    const value = JSON.parse(line)
    return JSON.stringify({ ...value, calls: value.calls.flatMap((call: unknown) => [call, call]) })
  }
  const doubled = imported(twice(record('shop', 1000, 100, [['pay', 80, 'remote', 'call']])), record('pay', 1010, 60))
  expect(doubled.traces[0]?.runs.map(({ task }) => task)).toEqual(['shop', 'pay'])
  expect(doubled.repaired).toEqual({ 'calls written more than once: counted once': 2 })
  const equal = imported(
    record('shop', 1000, 100, [
      ['pay', 40, 'remote', 'call'],
      ['pay', 40, 'remote', 'call'],
    ]),
    record('pay', 1010, 20, [], {
      calls: [20, 20].map((time) => ({ called: 'pay', caller: 'pay', local: true, sync: true, time })),
    }),
  )
  expect(equal.traces[0]?.runs.map(({ task }) => task)).toEqual(['shop', 'pay', 'pay'])
})

test('a lost record gets another request’s times, and its root cannot be lost', () => {
  const at = (i: number, line: string) => line.replaceAll('s1-shop-128-abc', `s1-shop-128-${i}`)
  const shop = record('shop', 1000, 100, [['pay', 80, 'remote', 'call']])
  const { traces, repaired, skipped } = imported(
    at(1, shop),
    at(1, record('pay', 1010, 60)),
    at(2, shop),
    at(3, record('pay', 1010, 60)),
  )
  expect(traces.map(({ runs }) => runs.map(({ task, endMs, startMs }) => [task, endMs - startMs]))).toEqual([
    [
      ['shop', 102],
      ['pay', 60],
    ],
    [
      ['shop', 102],
      ['pay', 60],
    ],
  ])
  expect(repaired).toEqual({ 'record lost: given the times of another request': 1 })
  expect(skipped).toMatchObject([{ file: 's1.ndjson', line: 4, why: expect.stringContaining('no record of its root') }])
})

test('tasks that call each other do not stand in for each other for ever', () => {
  const at = (i: number, line: string) => line.replaceAll('s1-shop-128-abc', `s1-shop-128-${i}`)
  const { traces } = imported(
    at(1, record('shop', 1000, 100, [['ping', 80, 'remote', 'send']])),
    at(1, record('ping', 1010, 60, [['pong', 20, 'remote', 'send']])),
    at(1, record('pong', 1020, 60, [['ping', 20, 'remote', 'send']])),
  )
  expect(traces).toHaveLength(1)
  expect(traces[0]?.runs.length).toBeLessThan(1000)
})

test('broken lines are named, with why; what can be put right is', () => {
  const { traces, skipped, repaired } = imported(
    '{"traceId":',
    '[]',
    record('shop', 1000, 100, [], { traceId: undefined }),
    record('shop', 1000, 100, [], { startTimestamp: 'yesterday' }),
    '',
    record('shop', 1000, 100, [], { endTimestamp: null, billedDuration: '6000', memoryAvail: undefined }),
  )
  expect(skipped.map(({ line, why }) => [line, why.split(':')[0]])).toEqual([
    [1, 'not JSON'],
    [2, 'not a JSON object'],
    [3, 'no traceId'],
    [4, 'startTimestamp is no number'],
  ])
  expect(traces[0]?.invocations).toEqual([
    { function: 'shop', memoryMb: 128, startMs: 0, endMs: 6000, billedMs: 6000, coldMs: null },
  ])
  expect(traces[0]?.runs[0]?.error).toBe('timed out')
  expect(repaired).toEqual({ 'no end: counted as a time-out after what was billed': 1 })
})

test('whatever is missing or wrong in records, every line is used or named, and predictions are numbers', () => {
  const app = {
    'a b': {
      coreMs: 2,
      stages: [[{ to: 'c', mode: 'call' as const, times: 2 }], [{ to: 'd', mode: 'send' as const }]],
    },
    c: { coreMs: 1 },
    d: { coreMs: 9, stages: [[{ to: 'c', mode: 'call' as const }]] },
  }
  const spec = { memory: 256, inline: { call: [] as string[], send: [] as string[], map: [] } }
  const setup = { functions: Object.fromEntries(Object.keys(app).map((name) => [name, spec])) }
  const fused = {
    functions: Object.fromEntries(
      Object.keys(app).map((name) => [name, { memory: 1024, inline: { call: ['c'], send: ['d'], map: [] } }]),
    ),
  }
  const { lines } = madeRecords({ app, entries: ['a b', 'd'], setup, name: 's', requests: 12, seed: 8, merged: true })
  const fields = Object.keys(JSON.parse(lines[0] ?? '{}'))
  const wrong = fc.constantFrom<unknown>(
    undefined,
    null,
    '',
    'x',
    -1,
    0,
    1e15,
    [],
    {},
    [{}],
    [null, { called: 'c' }],
    true,
    '128',
  )
  const change = fc.record({ at: fc.nat(lines.length - 1), field: fc.constantFrom(...fields), value: wrong })
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
      const values = lines.map((line) => JSON.parse(line))
      for (const { at, field, value } of changes) values[at][field] = value
      const { traces, skipped } = imported(...values.map((value) => JSON.stringify(value)))
      for (const { file, why } of skipped) expect([file, why.length > 0]).toEqual(['s1.ndjson', true])
      expect(traces.length + skipped.length).toBeGreaterThan(0)
      if (traces.length === 0) return
      const { p50Ms, costPerMillionUsd, latenciesMs } = predict(traces, fused, { inlineSends: 'awaited' })
      for (const figure of [p50Ms.value, costPerMillionUsd.value, ...latenciesMs]) {
        expect(Number.isFinite(figure)).toBe(true)
        expect(figure).toBeGreaterThanOrEqual(0)
      }
    }),
    { numRuns: 30, seed: 9 },
  )
})

test('which calls follow each other is found from how long the runs took', () => {
  const runs = Array.from({ length: 40 }, (_, i) => {
    const [a, b, c] = [20 + ((i * 7) % 30), 40 + ((i * 13) % 50), 25 + ((i * 11) % 40)]
    return {
      ms: 5 + a + Math.max(b, c),
      calls: [
        { key: 'a', ms: a },
        ...[
          { key: 'b', ms: b },
          { key: 'c', ms: c },
        ].sort((x, y) => x.ms - y.ms),
      ],
    }
  })
  const stages = stagesOf(runs)
  expect(stages.get('a')).toBe(0)
  expect(stages.get('b')).toBe(1)
  expect(stages.get('c')).toBe(1)
})

test('all invocations of a request are found again, however the export merged, doubled and lost them', () => {
  const app = {
    shop: {
      coreMs: 2,
      stages: [[{ to: 'price', mode: 'call' as const, times: 6 }], [{ to: 'mail', mode: 'send' as const }]],
    },
    price: { coreMs: 0.3, waitMs: 4 },
    mail: { coreMs: 30, stages: [[{ to: 'price', mode: 'call' as const }]] },
  }
  const setup = {
    functions: Object.fromEntries(
      Object.keys(app).map((name) => [name, { memory: 256, inline: { call: [], send: [], map: [] } }]),
    ),
  }
  for (const how of [{}, { merged: true }, { merged: true, doubled: true }, { lostShare: 0.05 }]) {
    const made = madeRecords({ app, entries: ['shop'], setup, name: 's', requests: 60, seed: 3, everyMs: 1000, ...how })
    const { traces, skipped } = imported(...made.lines)
    expect(skipped).toEqual([])
    const found = traces.reduce((sum, { invocations }) => sum + invocations.length, 0)
    expect(found / made.invocations).toBeCloseTo(1, 1)
    expect(traces.map(({ runs }) => runs[0]?.endMs)).toEqual(made.latenciesMs)
  }
})

test('a call that an inline task made is found inside it, though the records name only the function', () => {
  const app = {
    shop: { coreMs: 1, stages: [[{ to: 'cart', mode: 'call' as const }], [{ to: 'mail', mode: 'send' as const }]] },
    cart: { coreMs: 0.5, stages: [[{ to: 'storage', mode: 'call' as const }]] },
    storage: { coreMs: 1, waitMs: 9 },
    mail: { coreMs: 20 },
  }
  const spec = { memory: 256, inline: { call: ['cart'], send: [], map: [] } }
  const setup = { functions: Object.fromEntries(Object.keys(app).map((name) => [name, spec])) }
  const { traces } = imported(...madeRecords({ app, entries: ['shop'], setup, name: 's', requests: 40, seed: 5 }).lines)
  for (const { runs } of traces) {
    const callerOf = (task: string) => runs[runs.find((run) => run.task === task)?.parent ?? -1]?.task
    expect(['cart', 'storage', 'mail'].map(callerOf)).toEqual(['shop', 'cart', 'shop'])
  }
})

test('calls of tasks that were fused later are put where they were when they were remote', () => {
  const flat = (fused: boolean, at: number): RequestTrace => ({
    id: String(at),
    arrivalMs: at,
    runs: [
      { task: 'shop', parent: -1, mode: 'call', route: 'remote', startMs: 0, endMs: 100, invocation: 0 },
      {
        task: 'cart',
        parent: 0,
        mode: 'call',
        route: fused ? 'inline' : 'remote',
        startMs: 10,
        endMs: 90,
        invocation: fused ? 0 : 1,
      },
      {
        task: 'storage',
        parent: fused ? 0 : 1,
        mode: 'call',
        route: fused ? 'inline' : 'remote',
        startMs: 20,
        endMs: 60,
        invocation: fused ? 0 : 2,
      },
    ],
    invocations: [{ function: 'shop', startMs: 0, endMs: 100 }],
  })
  const graph = graphOf([flat(false, 0)])
  expect(nested(flat(true, 1), graph).runs.map(({ parent }) => parent)).toEqual([-1, 0, 1])
  const direct = flat(false, 2)
  expect(nested(direct, graph)).toBe(direct)
})

test('rules become a setup: who runs what inline by mode, and sizes from URLs and records', () => {
  const { order, setups } = readPublishedSetups({
    order: ['s1'],
    setups: {
      s1: {
        rules: {
          shop: {
            shop: { sync: { strategy: 'remote', url: 'SYNC-shop' }, async: { strategy: 'remote', url: 'shop' } },
            pay: { sync: { strategy: 'local' }, async: { strategy: 'remote', url: 'pay-768' } },
          },
          pay: {},
        },
      },
    },
  })
  expect(order).toEqual(['s1'])
  expect(setups.s1?.functions).toEqual({
    shop: { memory: 128, inline: { call: ['pay'], send: [], map: [] } },
    pay: { memory: 768, inline: { call: [], send: [], map: [] } },
  })
  expect(withMemoryOf(setups.s1 ?? { functions: {} }, { shop: 512, mail: 256 }).functions).toMatchObject({
    shop: { memory: 512, inline: { call: ['pay'] } },
    mail: { memory: 256, inline: { call: [] } },
  })
  expect(() => readPublishedSetups([])).toThrow('no "setups"')
})
