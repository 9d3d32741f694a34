import { MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { type LinkRings, RingPort } from './ring-port.js'
import { createSpin, Places } from './spin.js'

/*
 * Loaded into a thread before its artifact where the platform spins, so that no artifact carries it. Messages reach their listeners as if
 * they had come by themselves, on the thread's own port and on those that arrive with messages.
 */

/** What the platform says to a thread that spins. */
export interface SpinData {
  /** Places of all threads, and the thread's own: see `Places`. */
  shared: Int32Array
  own: Int32Array
  /** How many messages were posted to the thread: to look into the port takes its lock, for which a sender would wait. */
  bell: Int32Array
}

/** Ms after the last message in which a sandbox does not park. */
const IDLE_MS = 1000
const BURST_MS = 0.05

const told = workerData?.spin as SpinData | undefined

// Threads and processes that a task starts load this file, too.
if (parentPort && told) attend(parentPort as MessagePort, told)

function attend(engine: MessagePort, { shared, own, bell }: SpinData): void {
  const links: RingPort[] = []
  let received = 0
  let polled = false
  const poll = () => {
    for (const link of links) if (link.poll()) return true
    if (Atomics.load(bell, 0) === received) return false
    const found = receiveMessageOnPort(engine)
    if (found === undefined) return false
    engine.emit('message', found.message)
    return true
  }
  const setPolled = (polls: boolean) => {
    polled = polls
    let any = false
    for (const link of links) if (link.setPolled(polls)) any = true
    return any
  }
  const spin = createSpin({ poll, setPolled, idleMs: IDLE_MS, burstMs: BURST_MS, places: new Places(shared, own) })
  engine.on('message', (message: { port?: unknown; rings?: LinkRings }) => {
    received = (received + 1) | 0
    if (message.port instanceof MessagePort && message.rings) {
      const { port } = message
      const link = new RingPort(port, message.rings, spin.stir)
      link.setPolled(polled)
      links.push(link)
      port.on('close', () => links.splice(links.indexOf(link), 1))
      message.port = link
    }
    spin.stir()
  })
}
