import { seededRandom } from '../statistics/random.js'

/** A sample of a stream in which everything that came had the same chance (Vitter's algorithm R), that can be made smaller. */
export interface Sample<T> {
  readonly items: readonly T[]
  /** How many came. */
  readonly seen: number
  /** @param make called when the item is kept */
  offer(make: () => T): void
  shrinkTo(size: number): void
}

export function createSample<T>(size: number, seed: number): Sample<T> {
  const random = seededRandom(seed)
  const items: T[] = []
  let [most, seen] = [size, 0]
  return {
    items,
    get seen() {
      return seen
    },
    offer(make) {
      seen++
      if (items.length < most && seen <= most) {
        items.push(make())
        return
      }
      const at = Math.floor(random() * seen)
      if (at >= most) return
      if (at < items.length) items[at] = make()
    },
    shrinkTo(size) {
      most = Math.min(most, size)
      while (items.length > most) {
        const at = Math.floor(random() * items.length)
        items[at] = items[items.length - 1] as T
        items.pop()
      }
    },
  }
}
