import { MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { createSpin, Places } from './spin.js'

/*
 * Loaded into a thread before its artifact where the platform spins, so that no artifact carries it. Messages reach their listeners as if
 * they had come by themselves, on the thread's own port and on those that arrive with messages.
 */

/** Ms after the last message in which a sandbox does not park. */
const IDLE_MS = 1000
const BURST_MS = 0.05

const ports = new Set<MessagePort>()
const told = workerData?.spin as { shared: Int32Array; own: Int32Array } | undefined

// Threads and processes that a task starts load this file, too.
if (parentPort && told) {
  const spin = createSpin({ poll, idleMs: IDLE_MS, burstMs: BURST_MS, places: new Places(told.shared, told.own) })
  const attend = (port: MessagePort) => {
    ports.add(port)
    port.on('close', () => ports.delete(port))
    port.on('message', (message: { port?: unknown }) => {
      if (message.port instanceof MessagePort) attend(message.port)
      spin.stir()
    })
  }
  attend(parentPort as MessagePort)
}

function poll(): boolean {
  for (const port of ports) {
    const found = receiveMessageOnPort(port)
    if (found === undefined) continue
    port.emit('message', found.message)
    return true
  }
  return false
}
