/** Ms for which the items of a map block the loop by their start until it is certain that they compute: about the start of a thread. */
export const CERTAIN_MS = 20
/** An item that keeps its thread this long, ms, is worth a hand-over to another. */
const WORTH_MS = 2
/** Share of an item's time that is computing from which on items are CPU-bound. */
const BOUND_SHARE = 0.5
/** Weight of the newest reading. */
const SMOOTHING = 0.3

/** How much of their time the items of each task compute, as measured in this sandbox. */
export class CpuShare {
  private readonly seen = new Map<string, { share: number; activeMs: number }>()

  /**
   * @param activeMs of `elapsedMs`, in which the thread was not idle
   * @param items that ran in it together
   */
  note(task: string, activeMs: number, elapsedMs: number, items: number): void {
    const share = elapsedMs > 0 ? Math.min(1, activeMs / elapsedMs) : 0
    const own = activeMs / items
    const known = this.seen.get(task)
    if (known === undefined) this.seen.set(task, { share, activeMs: own })
    else {
      known.share += SMOOTHING * (share - known.share)
      known.activeMs += SMOOTHING * (own - known.activeMs)
    }
  }

  isBound(task: string): boolean {
    const known = this.seen.get(task)
    return known !== undefined && known.share >= BOUND_SHARE && known.activeMs >= WORTH_MS
  }
}
