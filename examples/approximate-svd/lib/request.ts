import { wholeNumbers } from '@fusionize/example-kit'

/** Which matrix, and what is wanted of it. */
export interface SvdRequest {
  /** Number of the matrix; its elements follow from this and its size. @default 1 */
  matrix?: number
  /** @default 4096 × `SVD_SCALE` */
  rows?: number
  /** @default 128 */
  columns?: number
  /** How many of the largest singular values. @default 10 */
  values?: number
  /** Blocks of rows that are worked on in parallel. @default 32 */
  blocks?: number
}

export type SvdJob = Required<SvdRequest>

/** A block of rows to work on. */
export interface Block {
  job: SvdJob
  block: number
}

/** Directions that are sampled beyond the values that are wanted. */
const oversampling = 10

/** Share of the rows of a full matrix unless `SVD_SCALE` says otherwise. */
export const defaultScale = 1

/** @throws {RangeError} naming the first field that is wrong */
export function jobOf(request: SvdRequest): SvdJob {
  const scale = Number(process.env.SVD_SCALE ?? defaultScale)
  const job = wholeNumbers(request, {
    matrix: { least: 0, most: 1e9, otherwise: 1 },
    rows: { least: 2, most: 1e6, otherwise: Math.max(64, Math.round(4_096 * scale)) },
    columns: { least: 2, most: 1_000, otherwise: 128 },
    values: { least: 1, most: 100, otherwise: 10 },
    blocks: { least: 1, most: 500, otherwise: 32 },
  })
  const { rows, columns, values, blocks } = job
  if (columns > rows) throw new RangeError(`columns is ${columns}, and rows ${rows}; give at least as many rows`)
  if (values > columns)
    throw new RangeError(`values is ${values}; a matrix of ${columns} columns has no more than that`)
  if (blocks > rows) throw new RangeError(`blocks is ${blocks}; ${rows} rows cannot be cut into more than that`)
  return job
}

/** Columns of the sketch. */
export function sketchWidth({ columns, values }: SvdJob): number {
  return Math.min(columns, values + oversampling)
}

/** The rows of a block; blocks differ by one row at most. */
export function rowsOfBlock({ rows, blocks }: SvdJob, block: number): { first: number; count: number } {
  const start = (i: number) => Math.floor((i * rows) / blocks)
  return { first: start(block), count: start(block + 1) - start(block) }
}

/** Names a matrix and how it is cut. */
export function nameOf({ matrix, rows, columns, blocks }: SvdJob): string {
  return `m${matrix}-${rows}x${columns}-${blocks}`
}
