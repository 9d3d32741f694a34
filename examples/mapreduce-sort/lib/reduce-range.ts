import { join } from 'node:path'
import { firstStepBack, keyBytes, recordBytes, sortRecords, sumOf, writeFully } from '@fusionize/example-kit/records'
import { replaceFile, withFile } from './files'
import type { Job, Output } from './job'
import { type Partition, partitionFile, readPieces, sizeOf } from './partition-file'
import { largestRange } from './plan'
import { scratch } from './scratch'

/**
 * Sorts a range in memory and writes its file. Blocks its thread: it computes for most of the time.
 * @throws {RangeError} when the range does not fit in the memory that the job has
 */
export function reduceRange(job: Job, name: string, partitions: { part: string; partition: Partition }[]): Output {
  const bytes = partitions.reduce((sum, { partition }) => sum + sizeOf(partition), 0)
  if (bytes > largestRange(job.memoryMb))
    throw new RangeError(
      `${name} has ${bytes} bytes, more than can be sorted in ${job.memoryMb} MB: take more reducers or memory`,
    )
  const records = scratch('records', bytes)
  gather(job, partitions, records)
  sortRecords(records, scratch('spare', bytes))
  const step = firstStepBack(records)
  if (step !== undefined) throw new Error(`${name}: record ${step} belongs before the one before it`)
  const file = join(job.folder, name)
  replaceFile(file, (draft) => withFile(draft, 'w', (to) => writeFully(to, records)))
  const sum = sumOf(records)
  if (bytes === 0) return { file, sum }
  return { file, sum, firstKey: keyAt(records, 0), lastKey: keyAt(records, bytes - recordBytes) }
}

function gather(job: Job, partitions: { part: string; partition: Partition }[], into: Buffer): void {
  let at = 0
  for (const { part, partition } of partitions) {
    if ('records' in partition) {
      into.set(partition.records, at)
      at += partition.records.length
    } else if (partition.pieces.length > 0)
      at += withFile(partitionFile(job, part), 'r', (file) => readPieces(file, partition.pieces, into.subarray(at)))
  }
}

function keyAt(records: Buffer, at: number): string {
  return records.toString('hex', at, at + keyBytes)
}
