import { seededRandom } from '../statistics/random.js'

/** A sample of a stream in which everything that came had the same chance (Vitter's algorithm R), that can be made smaller. */
export interface Sample<T> {
  readonly items: readonly T[]
  /** How many came. */
  readonly seen: number
  /** What is kept weighs together. */
  readonly weight: number
  /** @param make called when the item is kept */
  offer(make: () => T): void
  shrinkTo(size: number): void
}

/** @param weigh what one item adds to `weight` */
export function createSample<T>(size: number, seed: number, weigh: (item: T) => number = () => 1): Sample<T> {
  const random = seededRandom(seed)
  const items: T[] = []
  let [most, seen, weight] = [size, 0, 0]
  return {
    items,
    get seen() {
      return seen
    },
    get weight() {
      return weight
    },
    offer(make) {
      seen++
      const at = seen <= most ? items.length : Math.floor(random() * seen)
      if (at >= most) return
      const item = make()
      const before = items[at]
      weight += weigh(item) - (before === undefined ? 0 : weigh(before))
      items[at] = item
    },
    shrinkTo(size) {
      most = Math.min(most, size)
      while (items.length > most) {
        const at = Math.floor(random() * items.length)
        weight -= weigh(items[at] as T)
        items[at] = items[items.length - 1] as T
        items.pop()
      }
    },
  }
}
