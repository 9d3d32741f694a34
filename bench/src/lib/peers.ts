import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { MessageChannel, Worker } from 'node:worker_threads'

/** Something in another process or thread that measures on demand. */
export interface Peer {
  /** Does it `count` times (or ms) and answers with the samples. */
  ask(count: number): Promise<number[]>
  /** What it is, in its own words. */
  about: string
  close(): Promise<void>
}

const pathOf = (name: string) => fileURLToPath(new URL(`../peers/${name}.js`, import.meta.url))

/** A child process that runs a program of `peers/`; it says what it is once it is ready. */
export async function askProcess(name: string, args: string[] = []): Promise<Peer> {
  const child = fork(pathOf(name), args)
  const exited = once(child, 'exit')
  const next = async (): Promise<unknown> => {
    const [message] = await Promise.race([
      once(child, 'message'),
      exited.then(() => Promise.reject(new Error(`${name} ended`))),
    ])
    return message
  }
  const about = String(await next())
  return {
    about,
    ask(count) {
      const answer = next()
      child.send(count)
      return answer as Promise<number[]>
    },
    async close() {
      child.disconnect()
      await exited
    },
  }
}

/**
 * Has one order carried out by a program of `peers/` in a process of its own.
 * @throws {Error} when it ended without an answer; why is on stderr
 */
export async function askOnce<T>(name: string, order: object): Promise<T> {
  const child = fork(pathOf(name))
  const exited = once(child, 'exit')
  child.send(order)
  const [answer] = await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`))),
  ])
  child.disconnect()
  await exited
  return answer
}

/** Two threads with a port between them. */
export function askThreads(): Peer {
  const { port1, port2 } = new MessageChannel()
  const workers = [
    new Worker(pathOf('port-echo'), { workerData: port1, transferList: [port1] }),
    new Worker(pathOf('port-caller'), { workerData: port2, transferList: [port2] }),
  ] as const
  const caller = workers[1]
  return {
    about: 'MessageChannel',
    async ask(count) {
      caller.postMessage(count)
      const [samples] = await once(caller, 'message')
      return samples
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

/** Two threads with a port between them, one way: the receiver is parked when a message comes. */
export function askOneWay(): Peer {
  const { port1, port2 } = new MessageChannel()
  const receiver = new Worker(pathOf('port-receiver'), { workerData: port1, transferList: [port1] })
  const sender = new Worker(pathOf('port-sender'), { workerData: port2, transferList: [port2] })
  return {
    about: 'MessageChannel, one way',
    async ask(count) {
      sender.postMessage(count)
      await once(sender, 'message')
      receiver.postMessage(count)
      const [samples] = await once(receiver, 'message')
      return samples
    },
    async close() {
      await Promise.all([receiver.terminate(), sender.terminate()])
    },
  }
}
