/** Names to values, in order of insertion; in JSON a list of pairs. Far faster than an object when names come and go. */
export class Table<V> extends Map<string, V> {
  toJSON(): [string, V][] {
    return [...this]
  }
}

/** A table that came out of JSON. */
export function restoreTable<V>(saved: Table<V>): Table<V> {
  return new Table(saved as Iterable<[string, V]>)
}

/** By code unit: the same in every locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
