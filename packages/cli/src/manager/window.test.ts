import type { InvocationRecord } from 'fusionize/record'
import { expect, it } from 'vitest'
import { emptyWindow } from './state.js'
import { extended, settled } from './window.js'

const record = (session: string, start: number, more: Partial<InvocationRecord> = {}): InvocationRecord => ({
  ...{ v: 1, app: 'shop', setup: 's', function: 'f', task: 'f', sandbox: 'x', mode: 'call', attempt: 1, spans: [] },
  ...{ invocation: `${session}-${start}`, session, trace: '', span: '', parent: null, cold: null, start },
  ...{ reply: 5, wall: 10, peakMb: 1, memory: 128, concurrent: 1, ...more },
})

it('a window keeps the latest sessions, each whole', () => {
  const one = extended(emptyWindow(), [record('a', 1), record('b', 2), record('a', 3)], 4)
  const two = extended(one, [record('c', 4), record('a', 5)], 4)
  expect(two.records.map(({ session, start }) => [session, start])).toEqual([
    ['a', 1],
    ['a', 3],
    ['c', 4],
    ['a', 5],
  ])
  expect(extended(emptyWindow(), [record('a', 1), record('a', 2), record('b', 0)], 1).records).toHaveLength(2)
})

it('a session counts once its request was answered long enough ago', () => {
  const callee = record('b', 1, { parent: '00-0000000000000001' })
  const records = [record('a', 0), record('b', 95), callee, { ...callee, session: 'c' }]
  expect(settled(records, 100).map(({ session }) => session)).toEqual(['a'])
  expect(settled(records, 106).map(({ session }) => session)).toEqual(['a', 'b', 'b'])
})
