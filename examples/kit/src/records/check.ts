import { chunksOf } from './files.js'
import { compareBytes, recordBytes } from './format.js'
import { addSums, nothing, type RecordSum, sameSum, sumOf } from './sum.js'

/** What the records of a file add up to. Reads it in chunks, so that memory does not grow with the file. */
export function sumOfFile(file: string): RecordSum {
  let sum = nothing
  for (const chunk of chunksOf(file)) sum = addSums(sum, sumOf(chunk))
  return sum
}

/**
 * Whether the files, one after the other, are exactly the expected records, in the order of their bytes (that of `LC_ALL=C sort`).
 * Reads them in chunks, so that memory does not grow with them.
 * @returns what is wrong, one sentence each; empty when nothing is
 */
export function checkSorted(files: readonly string[], expected: RecordSum): string[] {
  const problems: string[] = []
  let last: Buffer | undefined
  let sum = nothing
  for (const file of files) {
    let first = 0
    for (const chunk of chunksOf(file)) {
      const whole = chunk.subarray(0, chunk.length - (chunk.length % recordBytes))
      if (whole.length < chunk.length) problems.push(`${file} ends in the middle of a record`)
      if (whole.length === 0) continue
      const step = firstStepBack(whole, last)
      if (step !== undefined) problems.push(`${file}: record ${first + step} belongs before the one before it`)
      sum = addSums(sum, sumOf(whole))
      first += whole.length / recordBytes
      last = Buffer.from(whole.subarray(-recordBytes))
    }
  }
  if (sum.records !== expected.records) problems.push(`${expected.records} records expected, ${sum.records} found`)
  else if (!sameSum(sum, expected)) problems.push('as many records as expected, but not the same')
  return problems
}

/** Index of the first record that is smaller than the one before it; `before` is the one before the first. */
export function firstStepBack(records: Uint8Array, before?: Uint8Array): number | undefined {
  if (before && records.length > 0 && compareBytes(before, 0, records, 0, recordBytes) > 0) return 0
  for (let at = recordBytes; at < records.length; at += recordBytes)
    if (compareBytes(records, at - recordBytes, records, at, recordBytes) > 0) return at / recordBytes
  return undefined
}
