import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { RING_BYTES } from '../src/sandbox/ring.js'

const dist = new URL('../dist/sandbox/', import.meta.url).href

/** One end of a link in a thread that spins for so short that it parks again and again. */
const END = `
const { parentPort, workerData, receiveMessageOnPort } = require('node:worker_threads')
const { port, rings, idleMs, board } = workerData
async function open() {
  const { RingPort } = await import('${dist}ring-port.js')
  const { createSpin } = await import('${dist}spin.js')
  const link = new RingPort(port, rings, () => spin.stir())
  const setPolled = (polls) => link.setPolled(polls)
  const spin = createSpin({ poll: () => link.poll(), setPolled, idleMs, burstMs: 0.02 })
  return { link, spin }
}
let seed = 7
const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647
function post(link, no) {
  const chance = random()
  if (chance < 0.02) link.postMessage([[[no], new Uint8Array(64)]])
  else if (chance < 0.04) link.postMessage([[[no], 'x'.repeat(4000)]])
  else link.postMessage([[[no, 'héad'], 'y'.repeat(chance * 1500)]])
}
function busy(us) { const end = performance.now() + us / 1000; while (performance.now() < end); }
`

/** Sends numbers, with pauses of all lengths, and says how far it has come. */
const SENDER = `${END}
open().then(async ({ link }) => {
  const { count } = workerData
  parentPort.postMessage('open')
  for (let no = 0; no < count; no++) {
    post(link, no)
    Atomics.store(board, 0, no + 1)
    const chance = random()
    if (chance < 0.3) busy(chance * 200)
    else if (chance < 0.31) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  link.on('message', ([[head]]) => parentPort.postMessage(head[0]))
})
`

/** Counts what comes in order, and answers the last. */
const RECEIVER = `${END}
open().then(({ link }) => {
  let next = 0
  link.on('message', (items) => {
    for (const [head] of items) {
      if (head[0] !== next++) parentPort.postMessage({ wrong: head[0], next })
      if (next === workerData.count) link.postMessage([[['all']]])
    }
  })
  port.on('close', () => setImmediate(() => parentPort.postMessage({ next })))
  parentPort.postMessage('open')
})
`

function start(count: number, idleMs: number) {
  const { port1, port2 } = new MessageChannel()
  const [one, other] = [new SharedArrayBuffer(RING_BYTES), new SharedArrayBuffer(RING_BYTES)]
  const board = new Int32Array(new SharedArrayBuffer(4))
  const thread = (code: string, port: typeof port1, rings: object) =>
    new Worker(code, { eval: true, workerData: { port, rings, idleMs, board, count }, transferList: [port] })
  const receiver = thread(RECEIVER, port1, { out: one, into: other })
  const sender = thread(SENDER, port2, { out: other, into: one })
  return { receiver, sender, board }
}

test('between two threads all arrives once and in order, while both park and wake', async () => {
  for (const idleMs of [0, 0.02, 0.3]) {
    const { receiver, sender } = start(20_000, idleMs)
    const wrong: unknown[] = []
    receiver.on('message', (said) => said !== 'open' && wrong.push(said))
    await once(sender, 'message')
    expect((await once(sender, 'message'))[0]).toBe('all')
    expect(wrong).toEqual([])
    await Promise.all([receiver.terminate(), sender.terminate()])
  }
})

test('what a thread posted before it was killed arrives', async () => {
  for (let round = 0; round < 12; round++) {
    const { receiver, sender, board } = start(10_000_000, round % 2 === 0 ? 0.02 : 5)
    const said: unknown[] = []
    receiver.on('message', (message) => said.push(message))
    await once(sender, 'message')
    while (Atomics.load(board, 0) < 200 + round * 37) await new Promise((resolve) => setImmediate(resolve))
    await sender.terminate()
    while (said.length < 2) await once(receiver, 'message')
    expect(said).toEqual(['open', { next: expect.any(Number) }])
    const { next } = said[1] as { next: number }
    // One may have been posted of which the board does not tell.
    expect([0, 1]).toContain(next - Atomics.load(board, 0))
    await receiver.terminate()
  }
})
