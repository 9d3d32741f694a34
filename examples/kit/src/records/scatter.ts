import { countOf, recordWords, wordsOf } from './format.js'

/**
 * Copies `records` into `into` (as long, and at a multiple of four), group by group; in a group they keep their order.
 * @param groupOf the group of each record, below `groups`
 * @returns where each group begins, counted in records, and where the last one ends
 */
export function scatter(records: Uint8Array, into: Uint8Array, groupOf: Uint16Array, groups: number): Uint32Array {
  const count = countOf(records)
  const starts = new Uint32Array(groups + 1)
  for (let i = 0; i < count; i++) {
    const after = (groupOf[i] as number) + 1
    starts[after] = (starts[after] as number) + 1
  }
  for (let g = 0; g < groups; g++) starts[g + 1] = (starts[g + 1] as number) + (starts[g] as number)
  const next = starts.slice()
  const from = wordsOf(records)
  const to = wordsOf(into)
  for (let i = 0; i < count; i++) {
    const group = groupOf[i] as number
    const place = next[group] as number
    next[group] = place + 1
    for (let s = i * recordWords, end = s + recordWords, d = place * recordWords; s < end; s++, d++)
      to[d] = from[s] as number
  }
  return starts
}
