import { FusionizeError } from 'fusionize'
import type { Send } from '../send.js'
import type { ExpectEvent, Expected } from './events.js'

export interface ExpectationPorts {
  /** Keeps what is known of a promise. */
  append(event: ExpectEvent): Promise<void>
  /** What the send's input names stays, until it is dropped. */
  hold(send: Send): void
  drop(send: Send): void
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
  /** None until the platform is ready to run something again. */
  timer: NodeJS.Timeout | undefined
}

/**
 * Has tasks run again that have not put what they promised (Pheromone, NSDI 2023, §4.4: re-execution of functions or of the workflow). The
 * time doubles with every attempt; the last one leaves a dead letter. Promises are kept like objects; after a restart of the platform
 * their time begins anew.
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

  /** @returns when the promise is kept as safely as an accepted send */
  expect(session: string, expected: Expected): Promise<void> {
    if (this.#bySession.get(session)?.has(nameOf(expected))) return Promise.resolve()
    const attempt = 1 + (this.#reruns.get(session) ?? 0)
    const waiting = this.#add(session, expected, attempt, undefined)
    this.#promised(waiting, this.ports.findSend(session, expected.from))
    this.#wait(session, waiting)
    return this.ports.append(eventOf(session, waiting))
  }

  /** Sends were accepted: one of them may be what a promise is about. */
  sent(sends: readonly Send[]): void {
    if (this.#bySession.size === 0) return
    for (const send of sends)
      for (const waiting of this.#bySession.get(send.session)?.values() ?? [])
        if (waiting.from === send.task && waiting.send?.id !== send.id) {
          this.#promised(waiting, send)
          this.#note(send.session, waiting)
        }
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

  /** What the journal has of an earlier run. */
  replay({ session, expected, attempt, send }: ExpectEvent): void {
    if (attempt > 0) this.#add(session, expected, attempt, send)
    else this.kept(session, expected.bucket, expected.key)
  }

  /** What was replayed so far is void. */
  forgetReplayed(): void {
    this.#bySession.clear()
  }

  *snapshot(): Generator<ExpectEvent> {
    for (const [session, known] of this.#bySession)
      for (const waiting of known.values()) yield eventOf(session, waiting)
  }

  /** What an earlier run's promises may have run again. */
  *sends(): Generator<Send> {
    for (const known of this.#bySession.values()) for (const { send } of known.values()) if (send) yield send
  }

  /** Everything can run again: the time of what an earlier run of the platform expected begins. */
  begin(): void {
    for (const [session, known] of this.#bySession)
      for (const waiting of known.values()) if (waiting.timer === undefined) this.#wait(session, waiting)
  }

  close(): void {
    for (const known of this.#bySession.values()) for (const { timer } of known.values()) clearTimeout(timer)
    this.#bySession.clear()
  }

  #add(session: string, expected: Expected, attempt: number, send: Send | undefined): Waiting {
    const known = this.#bySession.get(session) ?? new Map<string, Waiting>()
    const waiting: Waiting = { ...expected, attempt, send, timer: undefined }
    this.#bySession.set(session, known.set(nameOf(expected), waiting))
    return waiting
  }

  /** The send that promised. */
  #promised(waiting: Waiting, send: Send | undefined): void {
    if (waiting.send) this.ports.drop(waiting.send)
    waiting.send = send
    if (send) this.ports.hold(send)
  }

  #note(session: string, waiting: Waiting): void {
    this.ports.append(eventOf(session, waiting)).catch((error: unknown) => {
      this.ports.log(
        'error',
        session,
        `what bucket '${waiting.bucket}' expects is not in the journal: ${String(error)}`,
      )
    })
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
      this.#giveUp(session, waiting)
      if (restarted) this.ports.log('warn', session, `${what}; its session is run again`)
      else
        this.ports.log('error', session, `${what}, and the request that its session began with is not known any more`)
      return
    }
    if (attempt < attempts && send) {
      waiting.attempt++
      this.ports.log('warn', session, `${what}; run ${waiting.attempt} of ${attempts}`)
      this.ports.again(send)
      this.#note(session, waiting)
      this.#wait(session, waiting)
      return
    }
    this.ports.log(
      'error',
      session,
      send ? `${what} in ${attempts} runs` : `${what}, and it was not started by a send or a trigger`,
    )
    if (send) {
      const message = `${what} in ${attempts} runs; see its log, then replay it`
      this.ports.bury(send, new FusionizeError('TIMEOUT', message, { bucket, key, from }))
    }
    this.#giveUp(session, waiting)
  }

  /** The key is not expected any more, though it never came. */
  #giveUp(session: string, waiting: Waiting): void {
    this.#note(session, { ...waiting, attempt: 0, send: undefined })
    this.#forget(session, waiting)
  }

  #forget(session: string, waiting: Waiting): void {
    if (waiting.timer !== undefined) {
      clearTimeout(waiting.timer)
      this.#promised(waiting, undefined)
    }
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

function eventOf(session: string, { attempt, send, timer: _, ...expected }: Waiting): ExpectEvent {
  return { type: 'expect', session, expected, attempt, ...(send && { send }) }
}
