import type { RecordSum } from '@fusionize/example-kit/records'
import type { Plan } from './plan'

/** One sort, as every task of it needs to know it. */
export interface Job extends Plan {
  /** The file to sort. */
  input: string
  /** Where its partitions and the output go. */
  folder: string
  /** Bounds of the ranges, one after the other, in base64. */
  bounds: string
}

/** A sorted range. */
export interface Output {
  file: string
  sum: RecordSum
  /** Keys of its first and last record, in hexadecimal; absent when it is empty. */
  firstKey?: string
  lastKey?: string
}

/** The reply to a sort. */
export interface SortReply {
  records: number
  mappers: number
  reducers: number
  /** The output: one file after the other is the input in order. */
  files: string[]
  /** What the records add up to, in input and output. */
  sum: RecordSum
}
