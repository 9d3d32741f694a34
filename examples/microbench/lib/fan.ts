/** One of the objects that are put at once. */
export interface Item {
  index: number
  /** How many there are. */
  of: number
}

/** What comes of an item. */
export interface Part extends Item {
  square: number
}

export interface Total {
  parts: number
  sum: number
}

/** Keys of the parts, in order. */
export function keysOf(n: number): string[] {
  return Array.from({ length: n }, (_, index) => `part-${index}`)
}

/** Adds up the parts. @throws {Error} unless each is there once, in order, and the sum is that of the first n squares */
export function totalOf(parts: readonly Part[]): Total {
  const n = parts.length
  for (const [i, { index, of, square }] of parts.entries())
    if (index !== i || of !== n || square !== i * i)
      throw new Error(`part ${i} of ${n} is number ${index} of ${of} with the square ${square}`)
  const sum = parts.reduce((total, { square }) => total + square, 0)
  if (sum * 6 !== (n - 1) * n * (2 * n - 1)) throw new Error(`the first ${n} squares do not add up to ${sum}`)
  return { parts: n, sum }
}
