import { FusionizeError } from 'fusionize'
import type { Send } from '../engine/engine.js'

/** A promise that a task will put a key (`bucket.expect({ key, from, within })`). */
export interface Expected {
  bucket: string
  key: string
  from: string
  withinMs: number
  attempts: number
  rerun: 'source' | 'session'
}

export interface ExpectationPorts {
  /** The session's newest send of the task that is not done. */
  findSend(session: string, task: string): Send | undefined
  /** Runs the send again: now, whatever became of its last run. */
  again(send: Send): void
  /** Runs the request that the session began with again, as a session of its own. @returns false when it is not known any more */
  restart(session: string): boolean
  /** The send is a dead letter. */
  bury(send: Send, error: FusionizeError): void
  log(level: 'warn' | 'error', session: string, message: string): void
  /** The session expects nothing more. */
  quiet(session: string): void
}

interface Waiting extends Expected {
  attempt: number
  send: Send | undefined
  timer: NodeJS.Timeout
}

/**
 * Has tasks run again that have not put what they promised (Pheromone, NSDI 2023, §4.4: re-execution of functions or of the workflow). The
 * time doubles with every attempt; the last one leaves a dead letter. Promises live with the platform's process: after its restart what
 * was accepted is run again anyway.
 */
export class Expectations {
  readonly #bySession = new Map<string, Map<string, Waiting>>()
  /** Sessions that began as another one run again: how often. */
  readonly #reruns = new Map<string, number>()

  constructor(readonly ports: ExpectationPorts) {}

  has(session: string): boolean {
    return this.#bySession.has(session)
  }

  of(session: string): { bucket: string; key: string; from: string; attempt: number }[] {
    const known = [...(this.#bySession.get(session)?.values() ?? [])]
    return known.map(({ bucket, key, from, attempt }) => ({ bucket, key, from, attempt }))
  }

  expect(session: string, expected: Expected): void {
    const known = this.#bySession.get(session) ?? new Map<string, Waiting>()
    const name = nameOf(expected)
    if (known.has(name)) return
    this.#bySession.set(session, known)
    const attempt = 1 + (this.#reruns.get(session) ?? 0)
    const waiting = { ...expected, attempt, send: this.ports.findSend(session, expected.from) } as Waiting
    known.set(name, waiting)
    this.#wait(session, waiting)
  }

  /** Sends were accepted: one of them may be what a promise is about. */
  sent(sends: readonly Send[]): void {
    if (this.#bySession.size === 0) return
    for (const send of sends)
      for (const waiting of this.#bySession.get(send.session)?.values() ?? [])
        if (waiting.from === send.task) waiting.send = send
  }

  /** The key is there. */
  kept(session: string, bucket: string, key: string): void {
    const waiting = this.#bySession.get(session)?.get(nameOf({ bucket, key }))
    if (waiting) this.#forget(session, waiting)
  }

  /** The session is run again under another name. */
  reran(from: string, to: string): void {
    this.#reruns.set(to, (this.#reruns.get(from) ?? 0) + 1)
  }

  ended(session: string): void {
    this.#reruns.delete(session)
  }

  close(): void {
    for (const known of this.#bySession.values()) for (const { timer } of known.values()) clearTimeout(timer)
    this.#bySession.clear()
  }

  #wait(session: string, waiting: Waiting): void {
    const first = waiting.rerun === 'session' ? 1 : waiting.attempt
    waiting.timer = setTimeout(() => this.#late(session, waiting), waiting.withinMs * 2 ** (first - 1))
  }

  #late(session: string, waiting: Waiting): void {
    const { bucket, key, from, attempt, attempts, rerun } = waiting
    const send = waiting.send ?? this.ports.findSend(session, from)
    const what = `task '${from}' has not put '${key}' into bucket '${bucket}' in time`
    if (attempt < attempts && rerun === 'session') {
      const restarted = this.ports.restart(session)
      this.#forget(session, waiting)
      if (restarted) this.ports.log('warn', session, `${what}; its session is run again`)
      else
        this.ports.log('error', session, `${what}, and the request that its session began with is not known any more`)
      return
    }
    if (attempt < attempts && send) {
      waiting.attempt++
      this.ports.log('warn', session, `${what}; run ${waiting.attempt} of ${attempts}`)
      this.ports.again(send)
      this.#wait(session, waiting)
      return
    }
    this.ports.log(
      'error',
      session,
      send ? `${what} in ${attempts} runs` : `${what}, and it was not started by a send or a trigger`,
    )
    if (send)
      this.ports.bury(
        send,
        new FusionizeError('TIMEOUT', `${what} in ${attempts} runs; see its log, then replay it`, {
          bucket,
          key,
          from,
        }),
      )
    this.#forget(session, waiting)
  }

  #forget(session: string, waiting: Waiting): void {
    clearTimeout(waiting.timer)
    const known = this.#bySession.get(session)
    known?.delete(nameOf(waiting))
    if (known?.size !== 0) return
    this.#bySession.delete(session)
    this.ports.quiet(session)
  }
}

function nameOf({ bucket, key }: { bucket: string; key: string }): string {
  return `${bucket}\n${key}`
}
