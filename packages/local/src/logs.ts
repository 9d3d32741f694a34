import type { FunctionLog } from './engine/sandbox.js'

/** Entries kept in memory. */
const KEPT = 10_000

export interface LogsPage {
  entries: FunctionLog[]
  /** Pass it to the next call. */
  next: string
}

/** The newest log entries of all functions. */
export class Logs {
  #entries: FunctionLog[] = []
  #dropped = 0

  add(entry: FunctionLog): void {
    this.#entries.push(entry)
    if (this.#entries.length < 2 * KEPT) return
    this.#dropped += this.#entries.length - KEPT
    this.#entries = this.#entries.slice(-KEPT)
  }

  /** @param cursor `next` of the page before; absent = all that is kept */
  since(cursor?: string): LogsPage {
    const from = Math.max(0, (Number(cursor) || 0) - this.#dropped)
    return { entries: this.#entries.slice(from), next: String(this.#dropped + this.#entries.length) }
  }
}
