import { closeSession, isClosed, noClosedSessions } from 'fusionize/buckets'
import type { Payload } from 'fusionize/runtime'
import type { Sandbox } from '../engine/sandbox.js'

/** What the node knows of a session that works with buckets. */
export interface BucketSession {
  /** Evaluates the session's fused buckets. */
  lessee: Sandbox | undefined
  /** Who waits for the lessee to give the session back. */
  waiting: (() => void)[] | undefined
  /** Its last lessee ended it: the node's buckets follow when what ran there is kept as done. */
  over: boolean
  /** Buckets of the node that know the session. */
  readonly touched: Set<string>
  /** Who waits for the first object of a bucket. */
  awaited: Awaited | undefined
  /** By bucket and source, the run that is it; or that nobody needs it any more, though it has not begun. */
  sources: Map<string, string | typeof notNeeded> | undefined
}

const notNeeded = Symbol('not needed')

interface Awaited {
  bucket: string
  settle(value: Payload): void
  /** With an error when the object could not be kept. */
  ended(error?: unknown): void
}

/** The sessions that work with buckets: who evaluates them, who waits for them, and which have ended. */
export class Sessions {
  readonly #open = new Map<string, BucketSession>()
  readonly #closed = noClosedSessions()

  get(id: string): BucketSession | undefined {
    return this.#open.get(id)
  }

  of(id: string): BucketSession {
    let session = this.#open.get(id)
    if (session === undefined) {
      session = {
        lessee: undefined,
        waiting: undefined,
        over: false,
        touched: new Set(),
        awaited: undefined,
        sources: undefined,
      }
      this.#open.set(id, session)
    }
    return session
  }

  names(): string[] {
    return [...this.#open.keys()]
  }

  isClosed(id: string): boolean {
    return this.#open.get(id)?.over === true || isClosed(this.#closed, id)
  }

  close(id: string): void {
    const session = this.#open.get(id)
    this.#open.delete(id)
    closeSession(this.#closed, id)
    session?.awaited?.ended()
  }

  // — leases —

  /** Leases the session to the sandbox if nobody has it and nobody else put something. */
  lease(sandbox: Sandbox, id: string): boolean {
    const known = this.#open.get(id)
    if (known && (known.lessee || known.touched.size > 0)) return false
    this.of(id).lessee = sandbox
    return true
  }

  /** Calls back when the lessee has given the session back. */
  recall(id: string, then: () => void): void {
    const session = this.of(id)
    if (session.waiting === undefined) {
      session.waiting = []
      session.lessee?.recall(id)
    }
    session.waiting.push(then)
  }

  returned(id: string): void {
    const session = this.#open.get(id)
    if (session === undefined) return
    session.lessee = undefined
    const { waiting } = session
    session.waiting = undefined
    for (const go of waiting ?? []) go()
    this.#forgetIfIdle(id, session)
  }

  /** The sandbox is gone, and its leases with it. */
  gone(sandbox: Sandbox): void {
    for (const [id, { lessee }] of this.#open) if (lessee === sandbox) this.returned(id)
  }

  #forgetIfIdle(id: string, { lessee, touched, awaited, waiting, sources }: BucketSession): void {
    if (!lessee && touched.size === 0 && !awaited && !waiting && !sources) this.#open.delete(id)
  }

  // — sources —

  /** @returns false when nobody needs the source any more */
  nameSource(id: string, bucket: string, source: string, run: string): boolean {
    const session = this.of(id)
    session.sources ??= new Map()
    const name = `${bucket}\n${source}`
    if (session.sources.get(name) === notNeeded) return false
    session.sources.set(name, run)
    return true
  }

  /** Nobody needs the source any more. @returns the run that it is, as far as is known */
  sourceOver(id: string, bucket: string, source: string): string {
    const session = this.of(id)
    session.sources ??= new Map()
    const name = `${bucket}\n${source}`
    const run = session.sources.get(name)
    session.sources.set(name, notNeeded)
    return typeof run === 'string' ? run : source
  }

  // — answers —

  /** @returns what ends the wait */
  await(id: string, awaited: Awaited): () => void {
    const session = this.of(id)
    session.awaited = awaited
    return () => {
      session.awaited = undefined
      this.#forgetIfIdle(id, session)
    }
  }

  /** Another session answers for this one. */
  passOn(id: string, to: string): void {
    const session = this.#open.get(id)
    if (session?.awaited) this.of(to).awaited = session.awaited
    if (session) session.awaited = undefined
  }

  /** @param kept when what the answer rests on is kept: it acknowledges that, so it waits (Promise 2) */
  answer(id: string, value: Payload | Promise<Payload>, kept: Promise<void> | undefined): void {
    const session = this.#open.get(id)
    const awaited = session?.awaited
    if (session === undefined || awaited === undefined) return
    session.awaited = undefined
    Promise.all([value, kept]).then(([output]) => awaited.settle(output), awaited.ended)
  }
}
