import { stripVTControlCharacters } from 'node:util'
import { formatRecord, type InvocationRecord, type Span } from 'fusionize/record'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { requestLines } from './requests.js'

const lines: string[] = []
const plain = () => lines.map((line) => stripVTControlCharacters(line))
beforeEach(() => {
  lines.length = 0
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => void vi.useRealTimers())

const span = (task: string, more: Partial<Span> = {}): Span => {
  return { parent: -1, task, mode: 'call', route: 'inline', start: 0, end: 1, bytesIn: 0, bytesOut: 0, ...more }
}
const record = (session: string, more: Partial<InvocationRecord>): string =>
  formatRecord({
    v: 1,
    app: 'shop',
    setup: 's',
    function: 'f',
    task: 'f',
    sandbox: 'x',
    invocation: 'i',
    session,
    trace: '0'.repeat(32),
    span: '0'.repeat(16),
    parent: null,
    mode: 'call',
    attempt: 1,
    cold: null,
    start: 0,
    reply: 1,
    wall: 1,
    peakMb: 1,
    memory: 128,
    concurrent: 1,
    spans: [span('f')],
    ...more,
  })

test('a line waits for the records of its request and counts what they say, whichever comes first', () => {
  const { records, request } = requestLines((line) => lines.push(line))
  records([record('a', { parent: '1'.repeat(16), cold: 20 })])
  request({ method: 'POST', path: '/orders', status: 200, ms: 34.4, session: 'a' })
  expect(lines).toEqual([])
  const inline = span('g', { parent: 0 })
  records([record('a', { cold: 30, spans: [span('f'), inline, inline, { ...inline, route: 'remote' }] })])
  records([])
  expect(plain()).toEqual(['POST /orders 200 34 ms  2 cold, 2 inline, 1 remote'])
})

test('a request that no task answered is told at once', () => {
  requestLines((line) => lines.push(line)).request({ method: 'GET', path: '/nope', status: 404, ms: 0.31 })
  expect(plain()).toEqual(['GET /nope 404 0.3 ms'])
})

test('a request whose record never comes is told after a while', () => {
  const { records, request } = requestLines((line) => lines.push(line))
  request({ method: 'POST', path: '/_fusionize/invoke/a', status: 502, ms: 5, session: 'b' })
  records([])
  expect(lines).toEqual([])
  vi.advanceTimersByTime(1600)
  records([])
  expect(plain()).toEqual(['invoke a 502 5.0 ms'])
})

test('what the entry threw ends its line', () => {
  const { records, request } = requestLines((line) => lines.push(line))
  request({ method: 'POST', path: '/a', status: 500, ms: 5, session: 'c' })
  records([record('c', { spans: [span('a', { error: 'TypeError: no' })] })])
  records([])
  expect(plain()).toEqual(['POST /a 500 5.0 ms  0 inline, 0 remote  TypeError: no'])
})
