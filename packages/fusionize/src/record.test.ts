import { expect, test } from 'vitest'
import { formatRecord, type InvocationRecord, parseRecord, RECORD_VERSION } from './record.js'

const span = { mode: 'send', start: 1, bytesIn: 20, bytesOut: 10 } as const
const record: InvocationRecord = {
  v: RECORD_VERSION,
  app: 'video',
  setup: 'c0ffee',
  function: 'cut',
  task: 'cut',
  sandbox: 'cut-1',
  invocation: 'i1',
  session: 's1',
  trace: '1'.padStart(32, '0'),
  span: '0000000a00000000',
  parent: '0000000900000002',
  mode: 'send',
  attempt: 1,
  cold: null,
  start: 1_000_000.25,
  reply: 4.5,
  wall: 6,
  peakMb: 60,
  memory: 512,
  concurrent: 1,
  spans: [
    { ...span, parent: -1, task: 'cut', route: 'inline', end: 4.5, cpu: 3 },
    { ...span, parent: 0, task: 'detect', route: 'inline', end: 6, error: 'Error: dark' },
  ],
}

test('what a bucket started, what runs put and what fused buckets started survive the line', () => {
  const fired = { bucket: 'frames', trigger: 1, objects: 2, bytes: 4096, waitMs: 0.017 }
  const told: InvocationRecord = {
    ...record,
    fired: { ...fired, id: 'f1', bucket: 'clips', waitMs: 12.5 },
    puts: [{ span: 0, bucket: 'frames', count: 2, bytes: 4096 }],
    firings: [{ span: 1, fired }],
  }
  expect(parseRecord(formatRecord(told))).toEqual(told)
})

test('a record of an invocation without buckets has none of their fields', () => {
  expect(parseRecord(formatRecord(record))).toEqual(record)
  expect(formatRecord(record)).not.toMatch(/fired|puts|firings/)
})
