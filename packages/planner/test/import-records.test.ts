import fc from 'fast-check'
import { formatRecord } from 'fusionize/record'
import { allFusedSetup, remoteSetup } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { worlds } from './arbitrary-worlds.js'
import { importText, runsOf } from './import-text.js'
import { simulate } from './simulate.js'
import { worldOf } from './world.js'

const chain = worldOf('chain', {
  a: [{ cpuMs: 1 }, { call: ['b'] }, { send: ['c'] }],
  b: [{ waitMs: 10 }],
  c: [{ waitMs: 5 }],
})
const load = { requests: 3, everyMs: 1000 }

test('whatever the application and its setup, every run, wait and invocation of the records is there', () => {
  fc.assert(
    fc.property(worlds, fc.boolean(), (world, fused) => {
      const setup = fused ? allFusedSetup(world.app, 1769) : remoteSetup(world.app, 1769)
      const { records, samples } = simulate(world, setup, load)
      const { skipped, summary, traces } = importText({ a: records.map(formatRecord).reverse().join('\n') })
      expect(skipped).toEqual([])
      expect(summary).toMatchObject({ traces: samples.length, incomplete: 0 })
      const runs = traces.flatMap((trace) => trace.runs)
      const spans = records.flatMap((record) => record.spans)
      expect(runs).toHaveLength(spans.filter(({ route }) => route === 'inline').length)
      expect(runs.filter(({ call }) => call)).toHaveLength(spans.filter(({ route }) => route === 'remote').length)
      expect(traces.flatMap((trace) => trace.invocations)).toHaveLength(records.length)
      for (const trace of traces) {
        expect(trace.setup).toBe(records[0]?.setup)
        for (const [i, run] of trace.runs.entries()) {
          expect(run.parent).toBeLessThan(i)
          if (run.route === 'inline') expect(run.invocation).toBe(trace.runs[run.parent]?.invocation)
        }
      }
    }),
    { numRuns: 30, seed: 31 },
  )
})

test('an item of a map is one wherever it ran', () => {
  const world = worldOf('map', { a: [{ map: 'b', items: 2 }], b: [{ waitMs: 5 }] })
  const modes = [remoteSetup, allFusedSetup].map((of) => {
    const { records } = simulate(world, of(world.app, 1769), { requests: 1, everyMs: 1 })
    // What is invoked was called, whatever its caller did.
    for (const { mode } of records) expect(mode).toBe('call')
    const { traces } = importText({ a: records.map(formatRecord).join('\n') })
    return traces.flatMap(({ runs }) => runs.map(({ task, mode }) => `${task} ${mode}`))
  })
  expect(modes).toEqual([
    ['a call', 'b map', 'b map'],
    ['a call', 'b map', 'b map'],
  ])
})

test('what a bucket started is below the run that put', () => {
  const world = worldOf(
    'put',
    { a: [{ cpuMs: 1 }, { put: ['box'] }], w: [{ waitMs: 5 }] },
    {},
    { box: { tasks: ['w'] } },
  )
  const { records } = simulate(world, remoteSetup(world.app, 1769), { requests: 1, everyMs: 1 })
  const { traces } = importText({ a: records.map(formatRecord).join('\n') })
  expect(traces.map(runsOf)).toEqual([[expect.stringMatching(/^a call/), expect.stringMatching(/^a > w send/)]])
})

test('a record that comes twice counts once; a retry is a run of its own, and the caller waited for the last', () => {
  const { records } = simulate(chain, remoteSetup(chain.app, 1769), { requests: 1, everyMs: 1 })
  const lines = records.map(formatRecord)
  expect(importText({ a: [...lines, ...lines].join('\n') })).toMatchObject({ summary: { duplicates: 3, traces: 1 } })
  const b = records.find((record) => record.task === 'b')
  const retry = b && formatRecord({ ...b, attempt: 2, start: b.start + 1 })
  const [trace] = importText({ a: [retry, ...lines].join('\n') }).traces
  const runs = trace?.runs.filter(({ task }) => task === 'b') ?? []
  expect(runs.map(({ call }) => call !== undefined)).toEqual([false, true])
})

test('a lost callee is a missing end, a lost request is told, a broken record too', () => {
  const { records } = simulate(chain, remoteSetup(chain.app, 1769), { requests: 1, everyMs: 1 })
  const without = (task: string) =>
    records
      .filter((record) => record.task !== task)
      .map(formatRecord)
      .join('\n')
  expect(importText({ a: without('b') }).traces).toMatchObject([{ missing: 1 }])
  expect(importText({ a: without('a') })).toMatchObject({
    traces: [],
    skipped: [{ file: 'a', why: expect.stringMatching(/the record of its first invocation is missing/) }],
  })
  const good = formatRecord(records[0] as never)
  const broken = [
    good.replace('"v":1', '"v":99'),
    good.replace(/"s":"[^"]*"/, '"s":"%%%"'),
    good.replace(/"s":"[^"]*"/, '"s":""'),
    good.replace(/"start":[^,]*/, '"start":"now"'),
  ]
  expect(importText({ a: broken.join('\n') }).skipped.map(({ line, why }) => `${line}: ${why}`)).toEqual([
    '1: not a fusionize record of version 1',
    '2: the spans of the record are broken',
    '3: the spans of the record are broken',
    "4: a fusionize record without 'start'",
  ])
})
