import { expect, it } from 'vitest'
import { joinReports, type LogEvent } from './join.js'
import { isFailure, parseReport } from './report-line.js'

const request = '8f507cfc-xmpl-4697-b07a-ac58fc914c95'
// As in "Viewing CloudWatch logs for Lambda functions", AWS Lambda Developer Guide.
const report = (more = '') =>
  `REPORT RequestId: ${request}\tDuration: 79.67 ms\tBilled Duration: 80 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB\t${more}`
const recordLine = (cold: number | null, wall = 12) =>
  `{"fusionize":"record","request":"${request}","record":${JSON.stringify({ v: 1, cold, wall, peakMb: 1 })}}\n`
const event = (id: string, time: number, line: string): LogEvent => ({ id, stream: '', time, line })

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

it('the records of a batch of messages keep their own times', () => {
  const events = [event('a', 0, recordLine(null, 5)), event('b', 0, recordLine(null, 7)), event('c', 1, report())]
  const walls = joinReports(events, 1).records.map(({ line }) => JSON.parse(line).wall)
  expect(walls).toEqual([5, 7])
})

it('knows invocations that ended without an answer by what Lambda reports of them', () => {
  expect(isFailure(report())).toBe(false)
  expect(isFailure(report('Status: timeout\t'))).toBe(true)
  expect(isFailure(report('Status: error\tError Type: Runtime.ExitError\t'))).toBe(true)
  // A task's error is an answer.
  expect(isFailure(report('Status: error\tError Type: TypeError\t'))).toBe(false)
  expect(isFailure(`{"message":"REPORT RequestId: x\tStatus: timeout"}`)).toBe(false)
})
