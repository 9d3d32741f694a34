import { join } from 'node:path'
import { readFully } from '@fusionize/example-kit/records'
import type { Job } from './job'

/** Where a piece of a partition is in the file of its part. */
export type Piece = [offset: number, bytes: number]

/** One mapper's records of one range: themselves, or where they are. */
export type Partition = { records: Uint8Array } | { pieces: Piece[] }

/** A partition as the bucket takes it: bytes, and a key that says what they are. */
export function packed(part: string, range: string, partition: Partition): { key: string; bytes: Uint8Array } {
  return 'records' in partition
    ? { key: `${part}.${range}.records`, bytes: partition.records }
    : { key: `${part}.${range}.pieces`, bytes: Buffer.from(JSON.stringify(partition.pieces)) }
}

/** @returns the partition, and the part that it comes from */
export function unpacked(key: string, bytes: Uint8Array): { part: string; partition: Partition } {
  const [part, , kind] = key.split('.') as [string, string, string]
  if (kind === 'records') return { part, partition: { records: bytes } }
  return { part, partition: { pieces: JSON.parse(Buffer.from(bytes).toString()) as Piece[] } }
}

export function sizeOf(partition: Partition): number {
  if ('records' in partition) return partition.records.length
  return partition.pieces.reduce((sum, [, bytes]) => sum + bytes, 0)
}

/** The file that a mapper writes when its partitions are large. */
export function partitionFile({ folder }: Job, part: string): string {
  return join(folder, `${part}.partitions`)
}

/** Reads the pieces one after the other. @returns how many bytes they were */
export function readPieces(file: number, pieces: readonly Piece[], into: Uint8Array): number {
  let at = 0
  for (const [offset, bytes] of pieces) {
    readFully(file, into.subarray(at, at + bytes), offset)
    at += bytes
  }
  return at
}
