/** What a ranking orders; its fields are the ranking's. */
export interface Ranked<T> {
  ranking?: Ranking<T>
  older?: T
  newer?: T
  /** Grows with every use. */
  usedAt: number
}

/** By last use. A linked list: taking from its old end stays O(1), which a `Map` with many deletions does not. */
export class Ranking<T> {
  oldest: (T & Ranked<T>) | undefined
  newest: (T & Ranked<T>) | undefined

  /** Makes an item, from whatever ranking, the last used of this one. */
  use(item: T & Ranked<T>): void {
    unrank(item)
    item.ranking = this
    item.usedAt = ++clock
    item.older = this.newest
    if (this.newest) this.newest.newer = item
    else this.oldest = item
    this.newest = item
  }
}

let clock = 0

export function unrank<T>(item: T & Ranked<T>): void {
  const { ranking } = item
  if (!ranking) return
  const older = item.older as (T & Ranked<T>) | undefined
  const newer = item.newer as (T & Ranked<T>) | undefined
  if (older) older.newer = newer
  else ranking.oldest = newer
  if (newer) newer.older = older
  else ranking.newest = older
  item.ranking = item.older = item.newer = undefined
}
