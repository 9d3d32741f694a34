import type { WireError } from 'fusionize/runtime'
import type { AcceptedSend, SendEvent } from './events.js'

export interface Item {
  send: Omit<AcceptedSend, 'attempt'>
  /** Runs that failed. */
  used: number
  /** Present when it is a dead letter. */
  dead?: { error: WireError; failed: number }
}

/** Finished ids that are remembered, so that a retried sender does not have them run again. */
const REMEMBERED = 10_000

/** The sends that are not done, as the events so far say. */
export class SendTable {
  readonly items = new Map<string, Item>()
  /** Whether a platform runs the sends; at the end of a journal: one died while it did. */
  open = false
  #finished = new Set<string>()
  /** The finished in a ring; the oldest is at `#next`, once it is full. */
  #order: string[] = []
  #next = 0

  /** Whether a send of this id was accepted before. */
  knows(id: string): boolean {
    return this.items.has(id) || this.#finished.has(id)
  }

  apply(event: SendEvent): void {
    switch (event.type) {
      case 'snapshot':
        this.items.clear()
        this.#finished.clear()
        this.#order = []
        this.#next = 0
        return
      case 'finished':
        for (const id of event.ids) this.#remember(id)
        return
      case 'bucket':
      case 'expect':
      case 'owed':
      case 'over':
        return
      case 'opened':
      case 'closed':
        this.open = event.type === 'opened'
        return
      case 'accept':
        if (!this.knows(event.send.id)) this.items.set(event.send.id, { send: event.send, used: 0 })
        return
      case 'done':
        if (this.items.delete(event.id)) this.#remember(event.id)
        return
    }
    const item = this.items.get(event.id)
    if (!item) return
    if (event.type === 'replay') {
      if (!item.dead) return
      item.used = 0
      if (event.session !== undefined) item.send = { ...item.send, session: event.session }
      delete item.dead
      return
    }
    item.used = event.used
    if (event.type === 'dead') item.dead = { error: event.error, failed: event.failed }
  }

  /** Events that make a table equal to this one, finished ids included. */
  *snapshot(): Generator<SendEvent> {
    yield { type: 'snapshot' }
    if (this.open) yield { type: 'opened' }
    if (this.#finished.size > 0)
      yield { type: 'finished', ids: [...this.#order.slice(this.#next), ...this.#order.slice(0, this.#next)] }
    for (const [id, { send, used, dead }] of this.items) {
      yield { type: 'accept', send }
      if (dead) yield { type: 'dead', id, used, ...dead }
      else if (used > 0) yield { type: 'failed', id, used }
    }
  }

  #remember(id: string): void {
    if (this.#finished.has(id)) return
    this.#finished.add(id)
    // A set's own first element is found behind all that was deleted, so the order is kept beside it.
    const oldest = this.#order[this.#next]
    if (oldest !== undefined) this.#finished.delete(oldest)
    this.#order[this.#next] = id
    this.#next = (this.#next + 1) % REMEMBERED
  }
}
