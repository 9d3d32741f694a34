import { recordBytes } from '@fusionize/example-kit/records'
import type { SortRequest } from './request'

/** How a sort is divided. */
export interface Plan {
  records: number
  mappers: number
  reducers: number
  memoryMb: number
  inlineBytes: number
}

const megabyte = 2 ** 20

/** What a process takes before it holds any records, MB. */
const baseMb = 80

/** Ranges differ from one another by some percent; a plan leaves room for it. */
const evenness = 0.75

/** Divides a sort of so many records. */
export function planOf(request: SortRequest, records: number): Plan {
  const { memoryMb = 128, inlineBytes = megabyte } = request
  const bytes = records * recordBytes
  const mappers = request.mappers ?? Math.max(2, Math.ceil(bytes / (64 * megabyte)))
  const fitting = Math.ceil(bytes / (evenness * largestRange(memoryMb)))
  const reducers = Math.max(request.reducers ?? mappers, fitting)
  // What goes through the bucket may all be in memory at once.
  const inline = bytes <= (memoryMb * megabyte) / 4 ? inlineBytes : 0
  return { records, mappers, reducers, memoryMb, inlineBytes: inline }
}

/** Bytes of the largest range that can be sorted in so much memory, which holds it twice and a number for each record. */
export function largestRange(memoryMb: number): number {
  return Math.floor(((memoryMb - baseMb) * megabyte) / (2 * recordBytes + 10)) * recordBytes
}

/** The part of the input that is one mapper's. */
export interface Part {
  /** Number of its first record. */
  first: number
  records: number
}

/** Parts of about the same size that make up the input. */
export function partsOf({ records, mappers }: Pick<Plan, 'records' | 'mappers'>): Part[] {
  const start = (i: number) => Math.floor((i * records) / mappers)
  return Array.from({ length: mappers }, (_, i) => ({ first: start(i), records: start(i + 1) - start(i) }))
}

/** Names of parts and of ranges; their order is that of the numbers. */
export function partName(i: number): string {
  return `part-${String(i).padStart(4, '0')}`
}

export function rangeName(i: number): string {
  return `range-${String(i).padStart(4, '0')}`
}
