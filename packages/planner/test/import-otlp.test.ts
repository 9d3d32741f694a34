import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fixture, importText, runsOf } from './import-text.js'

const lambda = fixture('otlp-lambda.json')
const broken = fixture('otlp-broken.jsonl')

test('functions, calls and what a queue hands over become one request', () => {
  const { skipped, summary, traces } = importText({ 'otlp-lambda.json': lambda })
  expect(skipped).toEqual([])
  expect(summary).toMatchObject({ spans: 8, traces: 1, incomplete: 0, duplicates: 0 })
  expect(summary.files).toEqual([
    { file: 'otlp-lambda.json', formats: ['OpenTelemetry (OTLP JSON)'], spans: 8, skipped: 0 },
  ])
  const [trace] = traces
  expect(traces.map(runsOf)).toEqual([['order call 0–220', 'order > stock call 40–85', 'order > mail send 400–480']])
  expect(trace?.arrivalMs).toBe(1763719200000)
  // The call is the library's span, not that of the HTTP client in it.
  expect(trace?.runs[1]?.call).toEqual({ startMs: 20, endMs: 100 })
  expect(trace?.runs[2]).toMatchObject({ call: { startMs: 140, endMs: 152 }, bytesIn: 88, error: 'mailbox full' })
  // The database is outside, the functions that it called are not.
  expect(trace?.runs[0]?.outsideMs).toBeCloseTo(20, 2)
  expect(trace?.invocations).toMatchObject([
    { function: 'order', memoryMb: 512, isCold: true },
    { function: 'stock', memoryMb: 256, coldMs: null },
    { function: 'mail', memoryMb: 128 },
  ])
  expect(trace?.invocations[2]).not.toHaveProperty('coldMs')
})

test('of a broken file the rest is read, and each loss is told with its line', () => {
  const { skipped, summary, traces } = importText({ 'otlp-broken.jsonl': broken })
  expect(traces.map(runsOf)).toEqual([
    // The first callee's clock is 30 ms behind: it is moved into the wait for it.
    [
      'cart GET /cart/{id} call 0–90',
      'cart GET /cart/{id} > prices GET /price call 15–35',
      'cart GET /cart/{id} > prices GET /price call 15–70',
    ],
    ['prices GET /price call 0–30'],
    ['cron call 0–10'],
  ])
  expect(skipped.map(({ line, why }) => `${line}: ${why}`)).toEqual([
    '2: a text that does not end on its line',
    '4: not JSON',
    '5: span 00f067aa0ba902c3 has no start or no end',
    '5: span 00f067aa0ba902c4 ends before it starts',
    '5: a span without traceId or spanId',
    expect.stringMatching(/^6: no known format \(fields level, msg\)/),
    expect.stringMatching(/^10: the document breaks off/),
  ])
  expect(summary).toMatchObject({ skipped: 7, duplicates: 1 })
})

test('it is the same in whatever pieces the text comes', () => {
  const whole = [lambda, broken].map((text) => importText({ text }))
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.constantFrom(0, 1), (piece, which) => {
      const text = [lambda, broken][which] as string
      const { skipped, traces } = importText({ text }, {}, piece)
      expect(traces).toEqual(whole[which]?.traces)
      expect(skipped).toEqual(whole[which]?.skipped)
    }),
    { numRuns: 40, seed: 4 },
  )
})

test('one document on one line, over many lines, in a list, in lines, and split between files are the same', () => {
  const one = importText({ lambda })
  const document = JSON.parse(lambda)
  const lines = document.resourceSpans.map((batch: unknown) => JSON.stringify({ resourceSpans: [batch] }))
  const tabs = JSON.stringify(document, null, '\t')
  for (const files of [
    { a: JSON.stringify(document) },
    { a: `\uFEFF${tabs}` },
    { a: `[\n${lines.join(',\n')}\n]` },
    { a: `[${lines.join(',')}]` },
    { a: lines.join('\n') },
    { a: lines.join('\r\n') },
    { a: lines.join('') },
    { a: lines.toReversed().join('\n') },
    Object.fromEntries(lines.map((line: string, i: number) => [String(i), line])),
  ]) {
    const { skipped, traces } = importText(files)
    expect(skipped).toEqual([])
    expect(traces.map(runsOf)).toEqual(one.traces.map(runsOf))
    expect(traces.map((trace) => trace.invocations)).toEqual(one.traces.map((trace) => trace.invocations))
  }
})

test('a document that is larger than what is kept is read span by span, its resource before or behind', () => {
  const spans = Array.from({ length: 9_000 }, (_, i) => ({
    traceId: (i >> 1).toString(16).padStart(32, '0'),
    spanId: (i + 1).toString(16).padStart(16, '0'),
    ...(i % 2 === 1 && { parentSpanId: i.toString(16).padStart(16, '0') }),
    name: `a name with "quotes", [brackets] and \\ that is long enough to fill memory ${'x'.repeat(700)}`,
    kind: i % 2 === 0 ? 2 : 1,
    startTimeUnixNano: `${1763719200000 + i}000000`,
    endTimeUnixNano: `${1763719200010 + i}000000`,
  }))
  const resource = { attributes: [{ key: 'faas.name', value: { stringValue: 'big' } }] }
  const scopeSpans = [{ spans }]
  const first = JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] })
  expect(first.length).toBeGreaterThan(8 * 2 ** 20)
  const { skipped, traces } = importText({ first }, {}, 65_536)
  expect(skipped).toEqual([])
  expect(traces).toHaveLength(4_500)
  expect(new Set(traces.flatMap((trace) => trace.runs.map(({ task }) => task)))).toEqual(new Set(['big']))
  const few = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: spans.slice(0, 100) }], resource }] }, null, 1)
  expect(importText({ few }).traces.every((trace) => trace.runs[0]?.task === 'big')).toBe(true)
})

test('memory is bounded: the trace that was quiet the longest is closed, and what comes later is counted', () => {
  const span = (trace: number, id: number, parent = '') =>
    JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 's' } }] },
          scopeSpans: [
            {
              spans: [
                {
                  traceId: `t${trace}`,
                  spanId: `${trace}-${id}`,
                  parentSpanId: parent,
                  kind: 1,
                  startTimeUnixNano: '1763719200000000000',
                  endTimeUnixNano: '1763719200010000000',
                },
              ],
            },
          ],
        },
      ],
    })
  const lines = [...Array.from({ length: 50 }, (_, i) => span(i, 0)), span(0, 1, '0-0'), span(49, 1, '49-0')]
  const { summary, traces } = importText({ a: lines.join('\n') }, { maxOpenSpans: 20 })
  expect(traces).toHaveLength(50)
  expect(summary.cut).toMatchObject({ lateSpans: 1, longTraces: 0 })
  expect(summary.cut.closedEarly).toBeGreaterThan(25)
  const long = Array.from({ length: 30 }, (_, i) => span(1, i, i === 0 ? '' : '1-0'))
  expect(importText({ a: long.join('\n') }, { maxTraceSpans: 10 }).summary.cut).toMatchObject({
    longTraces: 1,
    longTraceSpans: 20,
  })
})

test('whatever is done to a file, reading ends and tells: nothing throws', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(lambda, broken, fixture('xray-batch-get-traces.json'), fixture('xray-daemon.jsonl')),
      fc.array(fc.tuple(fc.nat(4_500), fc.nat(40), fc.string({ maxLength: 8 })), { maxLength: 5 }),
      fc.integer({ min: 1, max: 5000 }),
      (text, edits, piece) => {
        let damaged = text
        for (const [at, length, put] of edits) damaged = damaged.slice(0, at) + put + damaged.slice(at + length)
        const { summary, traces } = importText({ damaged }, {}, piece)
        expect(summary.traces).toBe(traces.length)
        for (const { invocations, runs } of traces)
          for (const [i, run] of runs.entries()) {
            expect(run.parent).toBeLessThan(i)
            expect(invocations[run.invocation]).toBeDefined()
            expect(run.endMs).toBeGreaterThanOrEqual(run.startMs)
          }
      },
    ),
    { numRuns: 200, seed: 7 },
  )
})

test('a callee is found by name and time when the span between is another system’s', () => {
  const document = JSON.parse(lambda)
  const [order, stock] = document.resourceSpans
  order.scopeSpans[0].spans = order.scopeSpans[0].spans.filter(({ name }: { name: string }) => name !== 'POST')
  stock.scopeSpans[0].spans[0].parentSpanId = 'ffffffffffffffff'
  expect(importText({ a: JSON.stringify(document) }).traces.map(runsOf)).toEqual([
    ['order call 0–220', 'order > stock call 40–85', 'order > mail send 400–480'],
  ])
})

test('a call that ends before its callee is a send, and a function that reports nothing is a wait outside', () => {
  const document = JSON.parse(lambda)
  const [order, stock] = document.resourceSpans
  stock.scopeSpans[0].spans[0].endTimeUnixNano = '1763719200300000000'
  expect(importText({ a: JSON.stringify(document) }).traces.map((trace) => trace.runs[1]?.mode)).toEqual(['send'])
  const alone = importText({ a: JSON.stringify({ resourceSpans: [order] }) }).traces[0]
  expect(alone?.runs).toHaveLength(1)
  expect(alone?.missing).toBe(1)
  expect(alone?.runs[0]?.outsideMs).toBeCloseTo(80 + 20 + 12, 2)
})

test('spans may be nested deeper than the stack', () => {
  const spans = Array.from({ length: 9000 }, (_, i) => ({
    traceId: 'deep',
    spanId: `s${i}`,
    ...(i > 0 && { parentSpanId: `s${i - 1}` }),
    kind: i === 0 ? 2 : 1 + 2 * (i % 2),
    startTimeUnixNano: '1763719200000000000',
    endTimeUnixNano: '1763719200010000000',
  }))
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 's' } }] }
  const { skipped, traces } = importText({
    a: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }),
  })
  expect(skipped).toEqual([])
  expect(traces[0]?.runs).toMatchObject([{ task: 's', outsideMs: 10 }])
})
