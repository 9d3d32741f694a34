import { timeoutError } from 'fusionize'
import {
  errorToWire,
  type Handler,
  type HeldSend,
  type Invocation,
  type InvocationPort,
  itemsIn,
  type Outcome,
} from 'fusionize/runtime'
import type { Holds } from './holds.js'
import { LAST_WORDS_MS } from './limits.js'

/** What one invocation of the Lambda function is asked to do. */
export interface Work
  extends Pick<Invocation, 'id' | 'session' | 'task' | 'mode' | 'input' | 'external' | 'attempt' | 'trace' | 'parent'> {
  /** Epoch ms after which its caller does not wait any more. */
  deadline: number
  /** It was a dead letter. */
  replayed?: true | undefined
}

/** How it goes. */
export interface Started {
  /** What to answer, when it may be answered. Never rejects. */
  reply: Promise<Outcome>
  /** Nothing of it is under way any more. */
  done: Promise<void>
}

export interface InvocationPorts {
  handler(): Pick<Handler, 'run' | 'cancel'>
  /** Ms that the task may take. */
  limitOf(task: string): number
  /** Keeps work that a reply is about to leave behind; absent: such work ends before the reply. */
  holds: Holds | undefined
  /** The invocation goes on after its reply; resolves once that is known outside. */
  outlives?(work: Work): Promise<void>
  /** An inline send failed here; resolves once it is known elsewhere. */
  again(send: HeldSend, outcome: Outcome & { ok: false }): Promise<void>
  /** The start-up, for the first invocation; `cold` null after that. */
  cold(): Pick<Invocation, 'cold' | 'coldKind'>
  /** @param request Lambda's id of the invocation */
  record(line: string, request: string): void
  log(task: string, session: string, message: string): void
}

/** @returns what runs one invocation of the handler and says when it may be answered, and when it is over */
export function invocations(ports: InvocationPorts) {
  /** @param end epoch ms at which Lambda ends the sandbox  @param request Lambda's id of the invocation */
  return (work: Work, end: number, request: string): Started => {
    const limitMs = ports.limitOf(work.task) * Math.max(1, itemsIn(work.id))
    const began = Date.now()
    const deadline = Math.min(began + limitMs, work.deadline, end - LAST_WORDS_MS)
    const givenMs = deadline === began + limitMs ? limitMs : Math.max(0, deadline - began)
    const held = new Map<string, HeldSend>()
    /** What is held outside, and so may go on after the reply. */
    const kept: string[] = []
    const holds = work.mode === 'call' ? ports.holds : undefined
    /** What must happen before the invocation is over. */
    const leaving: Promise<void>[] = []
    let withheld: Outcome | undefined
    const reply = deferred<Outcome>()
    const done = deferred()
    const timer = setTimeout(() => {
      ports.handler().cancel(work.id, 'timeout')
      reply.resolve({ ok: false, error: errorToWire(timeoutError(work.task, givenMs)) })
    }, deadline - began)

    /** Work is left behind: it is held outside, or it ends before the reply. */
    function leave(items: readonly HeldSend[]): Promise<readonly string[]> | undefined {
      if (items.length === 0) return undefined
      for (const item of items) held.set(item.id, item)
      if (holds === undefined) return Promise.resolve([])
      return Promise.all([holds.keep(items), kept.length === 0 && ports.outlives?.(work)]).then(([name]) => {
        kept.push(name)
        return []
      })
    }

    const port: InvocationPort = {
      reply(outcome, items) {
        const left = leave(items)
        if (holds === undefined) withheld = outcome
        else if (left === undefined) reply.resolve(outcome)
        else
          left.then(
            () => reply.resolve(outcome),
            (error) => reply.resolve({ ok: false, error: errorToWire(error) }),
          )
        return left
      },
      settled(id, outcome, items) {
        const send = held.get(id)
        if (send && !outcome.ok)
          leaving.push(
            ports.again(send, outcome).catch((error: Error) => {
              ports.log(send.task, send.session, `send ${id} failed and could not be handed over: ${error.message}`)
              throw error
            }),
          )
        return leave(items)
      },
      done(lines) {
        clearTimeout(timer)
        ports.record(lines(), request)
        void over()
      },
    }

    /** The end: what failed here is elsewhere, what was held is forgotten; then whoever still waits is answered. */
    async function over(): Promise<void> {
      const failed = (await Promise.allSettled(leaving)).find((result) => result.status === 'rejected')
      // What could not be handed over stays held.
      if (kept.length > 0 && !failed)
        await holds?.letGo(kept).catch((error: Error) => ports.log(work.task, work.session, error.message))
      if (failed && withheld?.ok) withheld = { ok: false, error: errorToWire(failed.reason) }
      if (withheld) reply.resolve(withheld)
      done.resolve()
    }

    ports.handler().run({ ...work, deadline, ...ports.cold() }, port)
    return { reply: reply.promise, done: done.promise }
  }
}

function deferred<T = void>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
