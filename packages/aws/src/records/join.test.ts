import { parseRecord, spanOf } from 'fusionize/record'
import { describe, expect, it } from 'vitest'
import type { LogEvent } from './attempts.js'
import { joinReports } from './join.js'
import { killedRecord } from './killed.js'
import { parseReport } from './report-line.js'

const request = '8f507cfc-xmpl-4697-b07a-ac58fc914c95'
// As in "Viewing CloudWatch logs for Lambda functions", AWS Lambda Developer Guide.
const report = (more = '') =>
  `REPORT RequestId: ${request}\tDuration: 79.67 ms\tBilled Duration: 80 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB\t${more}`
const recordLine = (cold: number | null, wall = 12) =>
  `{"fusionize":"record","request":"${request}","record":${JSON.stringify({ v: 1, cold, wall, peakMb: 1 })}}\n`
const event = (id: string, time: number, line: string, stream = 's'): LogEvent => ({ id, stream, time, line })

it('reads what Lambda reports of a first and of a later invocation', () => {
  expect(parseReport(report())).toEqual({
    request,
    durationMs: 79.67,
    billedMs: 80,
    initMs: undefined,
    memoryMb: 128,
    peakMb: 73,
  })
  expect(parseReport(report('Init Duration: 162.13 ms\t'))?.initMs).toBe(162.13)
  expect(parseReport(report('XRAY TraceId: 1-5e\tSegmentId: 07 Sampled: true'))?.durationMs).toBe(79.67)
})

it.each(['', 'START RequestId: x Version: 1', 'REPORT RequestId: x\tDuration: much'])('is no report: %s', (line) => {
  expect(parseReport(line)).toBeUndefined()
})

it("a record has its start-up, its time and its peak memory from Lambda's report", () => {
  const events = [event('a', 0, recordLine(40)), event('b', 1, report('Init Duration: 162.13 ms\t'))]
  const { records, waiting } = joinReports(events, 1)
  expect(waiting).toEqual([])
  expect(JSON.parse(records[0]?.line ?? '')).toEqual({ v: 1, cold: 162.13, wall: 79.67, peakMb: 73 })
})

it('a warm record stays warm, and one that says more time than the report keeps it', () => {
  const events = [event('a', 0, recordLine(null, 100)), event('b', 1, report('Init Duration: 162.13 ms\t'))]
  expect(JSON.parse(joinReports(events, 1).records[0]?.line ?? '')).toMatchObject({ cold: null, wall: 100 })
})

it('a record waits for its report, and goes without it after a minute', () => {
  const alone = [event('a', 0, recordLine(null))]
  expect(joinReports(alone, 59_000)).toMatchObject({ records: [], waiting: [{ id: 'a' }] })
  expect(joinReports(alone, 60_000)).toMatchObject({ records: [{ event: { id: 'a' } }], waiting: [] })
})

it.each([
  ['a record that was cut off', recordLine(null).slice(0, -20)],
  ['one that is closed, but not whole', `{"fusionize":"record","request":"${request}","record":{"v":1,}}`],
  ['who asked, cut off', `{"fusionize":"began","request":"${request}","work":{"session":"s}}`],
  ['a firing, cut off', '{"fusionize":"fired","ids":["a'],
  ['a report, cut off', '{"type":"platform.report","record":{"requestId"'],
  ['a report of nothing', '{"type":"platform.report"}'],
])('a line that only begins like ours is passed over: %s', (_what, line) => {
  const events = [event('a', 0, line), event('b', 1, recordLine(null)), event('c', 2, report())]
  const { records, killed, fired } = joinReports(events, 3)
  expect([records.map(({ event }) => event.id), killed, fired]).toEqual([['b'], [], []])
})

it('the records of a batch of messages keep their own times', () => {
  const events = [event('a', 0, recordLine(null, 5)), event('b', 0, recordLine(null, 7)), event('c', 1, report())]
  const walls = joinReports(events, 1).records.map(({ line }) => JSON.parse(line).wall)
  expect(walls).toEqual([5, 7])
})

it('reads the same of a log in the format JSON', () => {
  // As in "Lambda Telemetry API Event schema reference", AWS Lambda Developer Guide, with a status.
  const metrics = {
    durationMs: 693.92,
    billedDurationMs: 694,
    initDurationMs: 397.68,
    maxMemoryUsedMB: 84,
    memorySizeMB: 128,
  }
  const of = (more: object) =>
    parseReport(
      JSON.stringify({ time: 't', type: 'platform.report', record: { requestId: request, metrics, ...more } }),
    )
  const figures = { durationMs: 693.92, billedMs: 694, initMs: 397.68, memoryMb: 128, peakMb: 84 }
  expect(of({ status: 'success' })).toEqual({ request, ...figures })
  expect(of({ status: 'timeout' })).toEqual({ request, ...figures, failed: 'timeout' })
  expect(of({ status: 'error', errorType: 'Runtime.ExitError' })).toMatchObject({ errorType: 'Runtime.ExitError' })
  expect(parseReport('{"fusionize":"log","message":"\\"platform.report\\""}')).toBeUndefined()
})

describe('attempts at one event, which have one id', () => {
  const failed = (more: string) => report(`Status: ${more}\t`).replace('79.67', '500')
  const ids = { invocation: 'i', session: 'se', task: 't', mode: 'send', trace: 'f'.repeat(32), parent: null }
  const asked = (attempt: number) => ({ ...ids, attempt })
  const ran = (attempt: number) =>
    `{"fusionize":"record","request":"${request}","record":${JSON.stringify({ ...asked(attempt), v: 1, cold: null, wall: 1, peakMb: 1 })}}`
  const began = (attempt: number) =>
    `{"fusionize":"began","request":"${request}","work":${JSON.stringify(asked(attempt))}}`

  it('have each their own time, in one sandbox or several', () => {
    const events = [
      event('a', 0, recordLine(null)),
      event('b', 1, report()),
      event('c', 2, recordLine(null)),
      event('d', 3, report().replace('79.67', '30')),
      event('e', 4, recordLine(null), 'other'),
      event('f', 5, report().replace('79.67', '20'), 'other'),
    ]
    const walls = joinReports(events, 5).records.map(({ line }) => JSON.parse(line).wall)
    expect(walls).toEqual([79.67, 30, 20])
  })

  it('are told of when their sandbox was killed, by who asked for the next one', () => {
    const events = [
      event('a', 10, failed('error\tError Type: Runtime.ExitError')),
      event('b', 20, failed('timeout')),
      event('c', 30, ran(3), 'other'),
      event('d', 31, report(), 'other'),
    ]
    const { killed, records } = joinReports(events, 40)
    expect(records).toHaveLength(1)
    expect(killed).toMatchObject([
      { event: { id: 'a' }, attempt: 1, asked: ids, report: { errorType: 'Runtime.ExitError' } },
      { event: { id: 'b' }, attempt: 2, asked: ids, report: { failed: 'timeout', durationMs: 500 } },
    ])
  })

  it('are told of when all were killed, by what the second said when it began', () => {
    const events = [
      event('a', 10, failed('timeout'), 'one'),
      event('b', 20, began(2), 'two'),
      event('c', 21, failed('timeout'), 'two'),
    ]
    const { killed } = joinReports(events, 40)
    expect(killed.map(({ asked, attempt }) => [attempt, asked])).toEqual([
      [1, asked(1)],
      [2, asked(2)],
    ])
  })

  it('in a sandbox that was started anew: the record is of the one that ended well', () => {
    const events = [event('a', 10, failed('timeout')), event('b', 20, ran(2))]
    expect(joinReports(events, 30)).toMatchObject({ records: [], waiting: [{ id: 'b' }], killed: [{ attempt: 1 }] })
  })

  it('are not told of when they have a record, or none because there was nothing to run', () => {
    const events = [event('a', 0, ran(1)), event('b', 1, failed('error')), event('c', 2, report(), 'sweep')]
    expect(joinReports(events, 5)).toMatchObject({ records: [{ event: { id: 'a' } }], killed: [] })
  })
})

describe('the record of a killed invocation', () => {
  const version = { function: 'resize', setup: 's1' }
  const of = (more: string, init = '') => {
    const [one] = joinReports([event('e', 1000, report(`${init}Status: ${more}\t`))], 1000).killed
    if (!one) throw new Error('not killed')
    return parseRecord(killedRecord(one, 'shop', version))
  }

  it('has what Lambda says, and is no request where nobody says who asked', () => {
    const record = of('timeout', 'Init Duration: 162.13 ms\t')
    expect(record).toMatchObject({
      ...{ app: 'shop', setup: 's1', function: 'resize', task: 'resize', sandbox: 's', attempt: 1 },
      ...{ cold: 162.13, start: 1000 - 79.67, reply: 79.67, wall: 79.67, peakMb: 73, memory: 128 },
      spans: [{ parent: -1, task: 'resize', end: 79.67, error: 'TIMEOUT: Lambda ended the sandbox after 80 ms' }],
    })
    expect(record.trace).toMatch(/^[0-9a-f]{32}$/)
    expect(spanOf(record.span).index).toBe(0)
    expect(spanOf(record.parent ?? '').index).toBe(0)
    expect(record.parent).not.toBe(record.span)
  })

  it.each([
    ['error\tError Type: Runtime.ExitError', 'SANDBOX_CRASHED: Lambda says Runtime.ExitError'],
    ['error\tError Type: Runtime.OutOfMemory', 'OUT_OF_MEMORY: Lambda ended the sandbox at 128 MB'],
  ])('says why: %s', (status, error) => {
    expect(of(status).spans[0]?.error).toBe(error)
    expect(of(status).cold).toBeNull()
  })
})
