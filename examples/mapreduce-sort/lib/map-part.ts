import {
  addSums,
  chunkBytes,
  nothing,
  partitioner,
  type RecordSum,
  readFully,
  recordBytes,
  sumOf,
  writeFully,
} from '@fusionize/example-kit/records'
import { replaceFile, withFile } from './files'
import type { Job } from './job'
import { type Partition, type Piece, partitionFile } from './partition-file'
import { largestRange, type Part } from './plan'
import { scratch } from './scratch'

/**
 * Reads a part of the input and divides it by ranges. Small partitions are returned as they are; when one is large, all go to the part's
 * file. Blocks its thread: it computes for most of the time.
 * @returns a partition for each range, and what the part's records add up to
 */
export function mapPart(job: Job, name: string, part: Part): { partitions: Partition[]; sum: RecordSum } {
  const { ranges, split } = partitioner(Buffer.from(job.bounds, 'base64'))
  const chunk = Math.min(part.records * recordBytes, chunkBytes, largestRange(job.memoryMb))
  const end = (part.first + part.records) * recordBytes
  let sum = nothing

  /** The next chunk, range by range, and where each begins. */
  function divided(input: number, position: number): { records: Buffer; starts: number[] } {
    const bytes = Math.min(chunk, end - position)
    const from = scratch('records', bytes)
    const records = scratch('spare', bytes)
    readFully(input, from, position)
    sum = addSums(sum, sumOf(from))
    return { records, starts: split(from, records) }
  }

  return withFile(job.input, 'r', (input) => {
    let position = part.first * recordBytes
    let next = divided(input, position)
    const isSmall = position + chunk >= end && largest(next.starts) <= job.inlineBytes
    if (isSmall) {
      const { records, starts } = next
      // Copies: the next task takes the memory.
      const partitions = countTo(ranges).map((r) => ({
        records: new Uint8Array(records.subarray(starts[r], starts[r + 1])),
      }))
      return { partitions, sum }
    }
    const pieces = countTo(ranges).map((): Piece[] => [])
    replaceFile(partitionFile(job, name), (draft) =>
      withFile(draft, 'w', (file) => {
        let written = 0
        for (;;) {
          const { records, starts } = next
          for (const [r, list] of pieces.entries()) {
            const [start, after] = [starts[r] as number, starts[r + 1] as number]
            if (after > start) list.push([written + start, after - start])
          }
          writeFully(file, records)
          written += records.length
          position += chunk
          if (position >= end) return
          next = divided(input, position)
        }
      }),
    )
    return { partitions: pieces.map((list) => ({ pieces: list })), sum }
  })
}

function largest(starts: readonly number[]): number {
  return starts.reduce((most, start, i) => Math.max(most, (starts[i + 1] ?? start) - start), 0)
}

function countTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i)
}
