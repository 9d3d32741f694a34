import { compareBytes, countOf, recordBytes, recordWords, wordsOf } from './format.js'
import { scatter } from './scatter.js'

/** Records that can be sorted at once: their number has 24 bits beside the 40 of the key. */
export const mostRecords = 2 ** 24

/** A group of about this size stays in the processor's cache while it is sorted. */
const groupRecords = 2_500

/**
 * Sorts `records` by all their bytes, in place. Both must lie at a multiple of four.
 *
 * First the records go to `scratch` in groups by their first two bytes, then each group is sorted and comes back. Picking records from
 * all over the memory would cost several times as much as comparing them.
 * @param scratch as long as `records`; what is in it is lost
 * @throws {RangeError} for more than {@link mostRecords}
 */
export function sortRecords(records: Uint8Array, scratch: Uint8Array): void {
  const count = countOf(records)
  if (count > mostRecords)
    throw new RangeError(`${count} records at once; at most ${mostRecords} can be sorted in memory`)
  const { groupOf, groups } = groupsOf(records)
  const starts = scatter(records, scratch, groupOf, groups)
  const from = wordsOf(scratch)
  const to = wordsOf(records)
  for (let g = 0; g < groups; g++) {
    const first = starts[g] as number
    const halves = inOrder(scratch, first, starts[g + 1] as number)
    for (let i = 0, d = first * recordWords; i < halves.length; i += 2) {
      let s = (first + placeIn(halves[i] as number)) * recordWords
      for (const end = d + recordWords; d < end; s++, d++) to[d] = from[s] as number
    }
  }
}

/** Groups of records by their first two bytes: as many beginnings in one as make it large enough. */
function groupsOf(records: Uint8Array): { groupOf: Uint16Array; groups: number } {
  const groupOf = new Uint16Array(countOf(records))
  const counts = new Uint32Array(65_536)
  for (let i = 0, at = 0; i < groupOf.length; i++, at += recordBytes) {
    const beginning = ((records[at] as number) << 8) | (records[at + 1] as number)
    groupOf[i] = beginning
    counts[beginning] = (counts[beginning] as number) + 1
  }
  const table = new Uint16Array(counts.length)
  let group = 0
  let size = 0
  for (let beginning = 0; beginning < counts.length; beginning++) {
    table[beginning] = group
    size += counts[beginning] as number
    if (size < groupRecords) continue
    group++
    size = 0
  }
  for (let i = 0; i < groupOf.length; i++) groupOf[i] = table[groupOf[i] as number] as number
  return { groupOf, groups: group + 1 }
}

/**
 * The records from `first` to `end` in order. Sorts 64-bit numbers, made of the first five bytes of a key and the place of the record,
 * and afterwards the few runs of records that begin with the same five bytes.
 * @returns those numbers in two halves each, the lower first, as they lie in memory on every machine that Node runs on
 */
function inOrder(records: Uint8Array, first: number, end: number): Uint32Array {
  const numbers = new BigUint64Array(end - first)
  const halves = new Uint32Array(numbers.buffer)
  for (let i = 0, at = first * recordBytes; i < halves.length; i += 2, at += recordBytes) {
    halves[i] = ((records[at + 4] as number) << 24) | (i >> 1)
    halves[i + 1] =
      ((records[at] as number) << 24) |
      ((records[at + 1] as number) << 16) |
      ((records[at + 2] as number) << 8) |
      (records[at + 3] as number)
  }
  numbers.sort()
  sortRuns(records, first, halves)
  return halves
}

/** Place of the record, from the lower half of its number. */
function placeIn(half: number): number {
  return half & 0xffffff
}

function sortRuns(records: Uint8Array, base: number, halves: Uint32Array): void {
  const count = halves.length / 2
  const sameBeginning = (i: number, j: number) =>
    halves[2 * i + 1] === halves[2 * j + 1] && (halves[2 * i] as number) >>> 24 === (halves[2 * j] as number) >>> 24
  for (let first = 0, end = 1; first < count; first = end++) {
    while (end < count && sameBeginning(first, end)) end++
    if (end - first > 1) sortRun(records, base, halves, first, end)
  }
}

function sortRun(records: Uint8Array, base: number, halves: Uint32Array, first: number, end: number): void {
  const run = Array.from({ length: end - first }, (_, i) => halves[2 * (first + i)] as number)
  const at = (half: number) => (base + placeIn(half)) * recordBytes
  run.sort((a, b) => compareBytes(records, at(a), records, at(b), recordBytes))
  for (const [i, half] of run.entries()) halves[2 * (first + i)] = half
}
