import { compareBytes, countOf, keyBytes, recordBytes } from './format.js'
import { scatter } from './scatter.js'

/** Puts records that lie together in a range of keys next to each other. */
export interface Partitioner {
  readonly ranges: number
  /** The range of the key that begins at `at`. */
  rangeOf(records: Uint8Array, at: number): number
  /**
   * Copies `records` into `into` (as long, and at a multiple of four), range by range; in a range they keep their order.
   * @returns where in `into` each range begins, in bytes, and where the last one ends
   */
  split(records: Uint8Array, into: Uint8Array): number[]
}

/** @param bounds keys in order, one after the other: range r begins with the r-th, the first with anything */
export function partitioner(bounds: Uint8Array): Partitioner {
  const ranges = bounds.length / keyBytes + 1
  const table = firstRanges(bounds)

  function rangeOf(records: Uint8Array, at: number): number {
    let range = table[((records[at] as number) << 8) | (records[at + 1] as number)] as number
    while (range < ranges - 1 && compareBytes(records, at, bounds, range * keyBytes, keyBytes) >= 0) range++
    return range
  }

  function split(records: Uint8Array, into: Uint8Array): number[] {
    const groupOf = new Uint16Array(countOf(records))
    for (let i = 0; i < groupOf.length; i++) groupOf[i] = rangeOf(records, i * recordBytes)
    return Array.from(scatter(records, into, groupOf, ranges), (start) => start * recordBytes)
  }

  return { ranges, rangeOf, split }
}

/** The first range that keys with these two bytes can lie in, for all 65,536 beginnings. */
function firstRanges(bounds: Uint8Array): Uint16Array {
  const table = new Uint16Array(65_536)
  let range = 0
  for (let beginning = 0; beginning < table.length; beginning++) {
    while (range * keyBytes < bounds.length && beginningOf(bounds, range) < beginning) range++
    table[beginning] = range
  }
  return table
}

function beginningOf(bounds: Uint8Array, range: number): number {
  return ((bounds[range * keyBytes] as number) << 8) | (bounds[range * keyBytes + 1] as number)
}
