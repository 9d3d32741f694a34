import { addSums, nothing, type RecordSum, sameSum } from '@fusionize/example-kit/records'
import type { Output } from './job'

/**
 * Checks that the ranges follow one another and add up to what was read.
 * @returns what they add up to
 * @throws {Error} saying what is wrong
 */
export function checkOutputs(outputs: readonly Output[], read: readonly RecordSum[]): RecordSum {
  const before = read.reduce(addSums, nothing)
  const after = outputs.map(({ sum }) => sum).reduce(addSums, nothing)
  if (after.records !== before.records)
    throw new Error(`${before.records} records were read, and ${after.records} written`)
  if (!sameSum(before, after)) throw new Error('as many records were written as read, but not the same')
  let last: string | undefined
  for (const { file, firstKey, lastKey } of outputs) {
    if (firstKey === undefined) continue
    if (last !== undefined && firstKey <= last) throw new Error(`${file} begins before the range before it ends`)
    last = lastKey
  }
  return after
}
