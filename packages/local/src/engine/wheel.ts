/** Width of a slot, ms: how late an entry may be. */
const SLOT_MS = 10

export interface WheelEntry {
  /** Slot that the entry is in; undefined when it is in none. */
  slot?: number | undefined
  due(): void
}

/** Time limits of many things with one timer: adding and removing costs a set operation. */
export class Wheel {
  readonly #slots = new Map<number, Set<WheelEntry>>()
  #timer: NodeJS.Timeout | undefined
  #next = Number.POSITIVE_INFINITY

  /** @param at epoch ms; an entry is in the wheel once, at its latest time */
  add(entry: WheelEntry, at: number): void {
    this.remove(entry)
    const slot = Math.ceil(Math.max(at, Date.now()) / SLOT_MS)
    entry.slot = slot
    const found = this.#slots.get(slot)
    if (found) found.add(entry)
    else this.#slots.set(slot, new Set([entry]))
    if (slot < this.#next) this.#arm(slot)
  }

  remove(entry: WheelEntry): void {
    if (entry.slot === undefined) return
    const found = this.#slots.get(entry.slot)
    found?.delete(entry)
    if (found?.size === 0) this.#slots.delete(entry.slot)
    entry.slot = undefined
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#slots.clear()
    this.#next = Number.POSITIVE_INFINITY
  }

  #arm(slot: number): void {
    clearTimeout(this.#timer)
    this.#next = slot
    // A timer takes at most 2^31 ms; waking up early only arms it again.
    this.#timer = setTimeout(() => this.#tick(), Math.min(Math.max(0, slot * SLOT_MS - Date.now()), 2 ** 31 - 1))
  }

  #tick(): void {
    const now = Math.floor(Date.now() / SLOT_MS)
    const due: WheelEntry[] = []
    let next = Number.POSITIVE_INFINITY
    for (const [slot, entries] of this.#slots) {
      if (slot > now) next = Math.min(next, slot)
      else {
        this.#slots.delete(slot)
        for (const entry of entries) {
          entry.slot = undefined
          due.push(entry)
        }
      }
    }
    this.#next = Number.POSITIVE_INFINITY
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next)
    for (const entry of due) entry.due()
  }
}
