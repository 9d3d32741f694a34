import { expect, test } from 'vitest'
import { importText } from './import-text.js'

/** A record as Fusionize's 2023 prototype wrote it: `entry` calls `callee` and waits. */
function record(trace: string, fn: string, start: number, ms: number, waits?: number): string {
  const own = { called: fn, caller: fn, local: true, sync: true, time: ms }
  const call = { called: 'callee', caller: fn, local: false, sync: true, time: waits }
  return JSON.stringify({
    traceId: trace,
    currentFunction: fn,
    memoryAvail: '128',
    isRootInvocation: fn === 'entry',
    isColdStart: false,
    startTimestamp: start,
    endTimestamp: start + ms,
    billedDuration: ms,
    internalDuration: ms,
    calls: waits === undefined ? [own] : [call, own],
  })
}

const request = (trace: string, at: number) => [
  record(trace, 'entry', at, 100, 60),
  record(trace, 'callee', at + 20, 30),
]

test('records of the 2023 prototype become requests, each file a setup of its own', () => {
  const files = {
    'first.ndjson': [...request('s1-entry-128-a', 1000), ...request('s1-entry-128-b', 2000)].join('\n'),
    'second.ndjson': request('s2-entry-128-c', 9000).join('\n'),
  }
  for (const piece of [1e9, 7]) {
    const { traces, skipped, summary } = importText(files, {}, piece)
    expect(skipped).toEqual([])
    expect(traces.map(({ setup, arrivalMs }) => [setup, arrivalMs])).toEqual([
      ['first.ndjson', 1000],
      ['first.ndjson', 2000],
      ['second.ndjson', 9000],
    ])
    for (const { runs, invocations } of traces) {
      expect(runs.map(({ task, parent }) => [task, parent])).toEqual([
        ['entry', -1],
        ['callee', 0],
      ])
      expect(invocations.map(({ memoryMb }) => memoryMb)).toEqual([128, 128])
    }
    expect(summary).toMatchObject({ spans: 6, traces: 3 })
    expect(summary.files[0]?.formats).toEqual(['Fusionize 2023 records'])
  }
})

test('what is broken in them is named, and of many only so many are kept at a time', () => {
  const lines = [
    ...request('s1-entry-128-a', 1000),
    '{"traceId":"s1", "currentFunction":',
    '{"traceId":1,"currentFunction":2,"calls":3}',
  ]
  const { traces, skipped } = importText({ 'a.ndjson': lines.join('\n') })
  expect(traces).toHaveLength(1)
  expect(skipped.map(({ file, line }) => [file, line])).toEqual([
    ['a.ndjson', 3],
    ['a.ndjson', 4],
  ])
  const many = Array.from({ length: 10 }, (_, i) => request(`s1-entry-128-${i}`, 1000 * i)).flat()
  const { traces: all, summary } = importText({ 'a.ndjson': many.join('\n') }, { maxOpenSpans: 8 })
  expect(all).toHaveLength(10)
  expect(summary.cut.closedEarly).toBe(2)
})
