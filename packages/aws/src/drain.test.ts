import type { InvocationRecord, Span } from 'fusionize/record'
import { expect, it } from 'vitest'
import { Drain } from './drain.js'

const span = (more: Partial<Span> = {}): Span => ({
  parent: -1,
  task: 't',
  mode: 'call',
  route: 'inline',
  start: 0,
  end: 1,
  bytesIn: 0,
  bytesOut: 0,
  ...more,
})
const record = (more: Partial<InvocationRecord>): InvocationRecord =>
  ({
    invocation: 'i',
    mode: 'call',
    task: 't',
    attempt: 1,
    parent: null,
    span: '0123456700000000',
    spans: [],
    ...more,
  }) as InvocationRecord

it('a request is over with its record and with those of all that it called elsewhere, in any order', () => {
  const drain = new Drain(() => 2)
  drain.expect('i')
  const remote = span({ route: 'remote', parent: 0 })
  drain.saw(record({ invocation: 'b', parent: '0123456700000002', span: 'ffffffff00000000' }))
  drain.saw(record({ spans: [span(), remote, remote] }))
  expect([...drain.open]).toEqual(['0123456700000001'])
  drain.saw(record({ invocation: 'a', parent: '0123456700000001', span: 'eeeeeeee00000000' }))
  expect(drain.open.size).toBe(0)
})

it('a bundle is the callee of as many spans as it has items', () => {
  const drain = new Drain(() => 2)
  const item = span({ route: 'remote', mode: 'map', parent: 0 })
  drain.saw(record({ spans: [span(), item, item, item] }))
  expect(drain.open.size).toBe(3)
  drain.saw(record({ invocation: 'bundle', parent: '0123456700000001', items: 3, span: 'eeeeeeee00000000' }))
  expect(drain.open.size).toBe(0)
})

it('a call that failed has perhaps no callee, and is not waited for', () => {
  const drain = new Drain(() => 2)
  drain.saw(record({ spans: [span(), span({ route: 'remote', error: 'Error: no' })] }))
  expect(drain.open.size).toBe(0)
})

it('a send that failed is waited for as long as it has retries', () => {
  const drain = new Drain(() => 1)
  drain.expect('i')
  const failed = { mode: 'send' as const, spans: [span({ mode: 'send', error: 'Error: no' })] }
  drain.saw(record({ ...failed, attempt: 1 }))
  expect(drain.open.size).toBe(1)
  drain.saw(record({ ...failed, attempt: 2 }))
  expect(drain.open.size).toBe(0)
})

it('a firing that is made has a record, which may come first, or twice', () => {
  const drain = new Drain(() => 2)
  const fired = { bucket: 'b', trigger: 0, id: 'f', objects: 1, bytes: 1, waitMs: 0 }
  const firing = { invocation: 'f', mode: 'send' as const, fired, parent: '0123456700000000', span: 'eeeeeeee00000000' }
  drain.fired('f')
  expect([...drain.open]).toEqual(['f'])
  drain.saw(record(firing))
  drain.fired('f')
  drain.saw(record({ ...firing, spans: [span({ mode: 'send', error: 'Error: no' })] }))
  expect(drain.open.size).toBe(0)
})

it('a send that failed inline is waited for where it is tried again', () => {
  const drain = new Drain(() => 1)
  drain.saw(record({ spans: [span(), span({ parent: 0, mode: 'send', error: 'Error: no' })] }))
  expect([...drain.open]).toEqual(['0123456700000001'])
  drain.saw(
    record({ invocation: 'again', mode: 'send', attempt: 2, parent: '0123456700000001', span: 'eeeeeeee00000000' }),
  )
  expect(drain.open.size).toBe(0)
})
