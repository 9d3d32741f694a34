import { type Deliverable, isRef } from 'fusionize/buckets'
import type { Send } from '../send.js'
import type { OwedEvent } from './events.js'
import type { Cause } from './shards.js'

/** A firing that a sandbox made of what it evaluates itself. */
export interface Owing {
  /** The firing's. */
  id: string
  /** What fired, as whoever repeats it will name it. */
  by: string
  values: readonly Deliverable[]
  sendOf(cause: Cause): Send
}

const none: readonly never[] = []

/**
 * Firings that sandboxes made, until the platform has accepted them, or they are done there, or their session is over. Of a put that a sandbox evaluated the node
 * knows before it knows what becomes of its firing: that may be handed over with an answer that the sandbox, or the platform, does not live
 * to give. Then the run begins again and repeats the put, which is known by now; so what it fired is due again.
 */
export class Owed {
  /** By session, by their ids. */
  readonly #bySession = new Map<string, Map<string, Owing>>()
  /** By session and what fired. */
  readonly #byName = new Map<string, Owing[]>()

  /** @param release gives up a reference that a value has */
  constructor(readonly release: (value: Deliverable) => void) {}

  add(session: string, owing: Owing): void {
    const known = this.#bySession.get(session) ?? new Map<string, Owing>()
    this.#bySession.set(session, known.set(owing.id, owing))
    const name = nameOf(session, owing.by)
    this.#byName.set(name, [...(this.#byName.get(name) ?? none), owing])
  }

  /** What it fired and nobody has accepted: when it is repeated, that is accepted. */
  due(session: string, by: string): readonly Owing[] {
    return this.#byName.size === 0 ? none : (this.#byName.get(nameOf(session, by)) ?? none)
  }

  /** The platform has it from now on, or it is done. */
  settled(session: string, id: string): void {
    const owing = this.#bySession.get(session)?.get(id)
    if (owing === undefined) return
    this.#drop(session, owing)
    owing.values.forEach(this.release)
  }

  ended(session: string): void {
    for (const owing of this.#bySession.get(session)?.values() ?? none) {
      this.#drop(session, owing)
      owing.values.forEach(this.release)
    }
  }

  /** Of a journal: what was accepted after all, or done. What is replayed has no references yet. */
  forget(isSettled: (id: string) => boolean): void {
    for (const [session, known] of this.#bySession)
      for (const owing of known.values()) if (isSettled(owing.id)) this.#drop(session, owing)
  }

  forgetSession(session: string): void {
    for (const owing of this.#bySession.get(session)?.values() ?? none) this.#drop(session, owing)
  }

  forgetAll(): void {
    this.#bySession.clear()
    this.#byName.clear()
  }

  /** Names of the large objects, one for each reference. */
  *refs(): Generator<string> {
    for (const known of this.#bySession.values())
      for (const { values } of known.values()) for (const value of values) if (isRef(value)) yield value.ref
  }

  *snapshot(cause: Cause): Generator<OwedEvent> {
    for (const [session, known] of this.#bySession)
      for (const { by, sendOf } of known.values()) yield { type: 'owed', session, by, send: sendOf(cause) }
  }

  #drop(session: string, owing: Owing): void {
    const known = this.#bySession.get(session)
    known?.delete(owing.id)
    if (known?.size === 0) this.#bySession.delete(session)
    const name = nameOf(session, owing.by)
    const rest = this.#byName.get(name)?.filter((one) => one !== owing) ?? none
    if (rest.length > 0) this.#byName.set(name, [...rest])
    else this.#byName.delete(name)
  }
}

function nameOf(session: string, by: string): string {
  return `${session}\n${by}`
}
