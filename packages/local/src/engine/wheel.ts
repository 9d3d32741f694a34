/** Width of a slot, ms: how late an entry may be. */
const SLOT_MS = 10

export interface WheelEntry {
  /** Slot that the entry is in; undefined when it is in none. */
  slot?: number | undefined
  /** Its neighbours there. */
  before?: WheelEntry | undefined
  after?: WheelEntry | undefined
  due(): void
}

/** Time limits of many things with one timer: adding and removing costs a few assignments. */
export class Wheel {
  /** The newest entry of each slot. */
  readonly #slots = new Map<number, WheelEntry>()
  #timer: NodeJS.Timeout | undefined
  #next = Number.POSITIVE_INFINITY

  /** @param at epoch ms; an entry is in the wheel once, at its latest time */
  add(entry: WheelEntry, at: number): void {
    this.remove(entry)
    const slot = Math.ceil(Math.max(at, Date.now()) / SLOT_MS)
    entry.slot = slot
    const newest = this.#slots.get(slot)
    entry.before = newest
    if (newest) newest.after = entry
    this.#slots.set(slot, entry)
    if (slot < this.#next) this.#arm(slot)
  }

  remove(entry: WheelEntry): void {
    const { slot, before, after } = entry
    if (slot === undefined) return
    if (before) before.after = after
    if (after) after.before = before
    else if (before) this.#slots.set(slot, before)
    else this.#slots.delete(slot)
    entry.slot = undefined
    entry.before = undefined
    entry.after = undefined
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
    for (const [slot, newest] of this.#slots) {
      if (slot > now) next = Math.min(next, slot)
      else for (let entry: WheelEntry | undefined = newest; entry; entry = entry.before) due.push(entry)
    }
    for (const entry of due) this.remove(entry)
    this.#next = Number.POSITIVE_INFINITY
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next)
    for (const entry of due.reverse()) entry.due()
  }
}
