import { expect, test } from 'vitest'
import { fixture, importText, runsOf } from './import-text.js'

const answer = fixture('xray-batch-get-traces.json')
const daemon = fixture('xray-daemon.jsonl')

test('an answer of BatchGetTraces becomes a request: gateway, start-up, calls, and the platform’s side left out', () => {
  const { skipped, traces } = importText({ answer })
  expect(traces).toHaveLength(1)
  const [trace] = traces
  expect(trace && runsOf(trace)).toEqual([
    'order call 132–288',
    'order > stock call 156–206',
    // The traces of mail are passive: the platform's side stands for it.
    'order > mail send 265–400',
  ])
  // The gateway saw the request first.
  expect(trace?.arrivalMs).toBe(1763719200000)
  expect(trace?.runs[0]?.outsideMs).toBeCloseTo(15 + 18, 2)
  expect(trace?.runs[1]?.call?.startMs).toBeCloseTo(140, 2)
  expect(trace?.runs[2]).toMatchObject({ error: 'Error: mailbox full' })
  expect(trace?.invocations.map(({ isCold }) => isCold)).toEqual([true, false, undefined])
  expect(trace?.invocations[0]?.coldMs).toBeCloseTo(120, 2)
  // Overhead goes on after the reply, and is billed.
  expect(trace?.invocations[0]?.endMs).toBeCloseTo(294, 2)
  // The function `legacy` does not report.
  expect(trace?.missing).toBe(1)
  expect(skipped.map(({ line, why }) => `${line}: ${why}`)).toEqual([
    '38: the Document of segment 5555555555555555 is not JSON',
    expect.stringMatching(/^42: /),
    '45: the Document of segment 5555555555555557 is no segment',
    '1: X-Ray left 1 of the traces asked for out (UnprocessedTraceIds)',
  ])
})

test('segments line by line with the daemon’s headers are the same, subsegments that were sent alone included', () => {
  const { skipped, summary, traces } = importText({ daemon })
  expect(traces.map(runsOf)).toEqual(importText({ answer }).traces.map(runsOf))
  expect(traces[0]?.runs[0]?.outsideMs).toBeCloseTo(15 + 18 + 6, 2)
  expect(skipped).toEqual([{ file: 'daemon', line: 14, why: 'order: still in progress when it was written' }])
  expect(summary.files[0]?.formats).toEqual(['AWS X-Ray'])
})

test('OpenTelemetry and X-Ray of one trace in two files are one request', () => {
  const segments = daemon.split('\n').filter((line) => line.includes('trace_id'))
  // The same trace as OpenTelemetry writes its id.
  const span = {
    traceId: '691f8de01a2b3c4d5e6f708192a3b4c5',
    spanId: '7777777777777777',
    parentSpanId: '3333333333333333',
    name: 'shelves',
    kind: 2,
    startTimeUnixNano: '1763719200170000000',
    endTimeUnixNano: '1763719200180000000',
  }
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'warehouse' } }] }
  const otlp = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] })
  const { summary, traces } = importText({ xray: segments.join('\n'), otlp })
  expect(traces).toHaveLength(1)
  expect(traces[0] && runsOf(traces[0])).toContain('stock > warehouse shelves call 170–180')
  expect(summary.files.map(({ formats }) => formats)).toEqual([['AWS X-Ray'], ['OpenTelemetry (OTLP JSON)']])
})
