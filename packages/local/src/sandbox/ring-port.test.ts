import { setImmediate as turn } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PortItem } from './channel.js'
import { RING_BYTES } from './ring.js'
import { RingPort } from './ring-port.js'

function newLink() {
  const { port1, port2 } = new MessageChannel()
  const [one, other] = [new SharedArrayBuffer(RING_BYTES), new SharedArrayBuffer(RING_BYTES)]
  const stirred = { count: 0 }
  const stir = () => void stirred.count++
  return {
    one: new RingPort(port1, { out: one, into: other }, stir),
    other: new RingPort(port2, { out: other, into: one }, stir),
    stirred,
  }
}

function heard(port: RingPort) {
  const got: unknown[] = []
  port.on('message', (message) => got.push(...message.map(([head]) => head[0])))
  return got
}

/** What it says, and whether that is more than a ring takes, or has bytes that move. */
function post(port: RingPort, no: number, how: 'small' | 'large' | 'bytes'): void {
  const bytes = new Uint8Array(8)
  if (how === 'bytes') port.postMessage([[[no], bytes]] as PortItem[], [bytes.buffer])
  else port.postMessage([[[no], how === 'large' ? 'x'.repeat(5000) : 'x']])
}

async function untilHeard(got: unknown[], count: number): Promise<void> {
  for (let i = 0; i < 1000 && got.length < count; i++) await turn()
}

const how = fc.constantFrom('small' as const, 'small' as const, 'small' as const, 'large' as const, 'bytes' as const)
const step = fc.oneof(
  fc.record({ post: how, times: fc.constantFrom(1, 2, 700) }),
  fc.constantFrom('poll', 'polls', 'parks', 'turn'),
)

test('messages arrive once and in order, on whichever way they go and whenever the receiver parks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { one, other } = newLink()
      const got = heard(other)
      let sent = 0
      for (const step of steps)
        if (typeof step === 'object') for (let i = 0; i < step.times; i++) post(one, sent++, step.post)
        else if (step === 'poll') other.poll()
        else if (step === 'turn') await turn()
        else other.setPolled(step === 'polls')
      other.setPolled(false)
      await untilHeard(got, sent)
      one.close()
      expect(got).toEqual(Array.from({ length: sent }, (_, i) => i))
    }),
    { numRuns: 60 },
  )
})

test('a receiver that parks hears what was written while it did, without being polled', async () => {
  const { one, other, stirred } = newLink()
  const got = heard(other)
  other.setPolled(true)
  post(one, 1, 'small')
  expect(other.setPolled(false)).toBe(true)
  expect(got).toEqual([1])
  post(one, 2, 'small')
  await untilHeard(got, 2)
  expect(got).toEqual([1, 2])
  expect(stirred.count).toBe(1)
  one.close()
})

test('what one end said before it left is heard', async () => {
  const { one, other } = newLink()
  const got = heard(other)
  other.setPolled(true)
  for (let i = 0; i < 10; i++) post(one, i, i % 3 === 0 ? 'large' : 'small')
  one.close()
  await untilHeard(got, 10)
  expect(got).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('an end that left hears nothing more', () => {
  const { one, other } = newLink()
  const got = heard(other)
  other.setPolled(true)
  post(one, 1, 'small')
  other.close()
  expect(other.poll()).toBe(false)
  expect(got).toEqual([])
})
