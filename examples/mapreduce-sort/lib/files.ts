import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { recordBytes, writeRecords } from '@fusionize/example-kit/records'

/** Where inputs and outputs are: the folder `SORT_WORK`, by default `.fusionize/sort`. */
export function workFolder(): string {
  return process.env.SORT_WORK ?? '.fusionize/sort'
}

/** The input that follows from a seed; made when it is not there yet. */
export function madeInput(seed: number, records: number): string {
  const file = join(workFolder(), `input-${seed}-${records}`)
  if (statSync(file, { throwIfNoEntry: false }) === undefined)
    replaceFile(file, (draft) => writeRecords(draft, { seed, records }))
  return file
}

/** @throws {RangeError} when it is no file of whole records */
export function recordsIn(file: string): number {
  const records = statSync(file).size / recordBytes
  if (!Number.isInteger(records))
    throw new RangeError(`${file} does not end with a whole record of ${recordBytes} bytes`)
  return records
}

/** Puts a file in its place as a whole, so that nobody sees half of it and writing it again changes nothing. */
export function replaceFile(file: string, write: (draft: string) => void): void {
  const draft = `${file}.${process.pid}-${threadId}`
  mkdirSync(dirname(file), { recursive: true })
  write(draft)
  renameSync(draft, file)
}

export function withFile<T>(file: string, mode: 'r' | 'w', use: (descriptor: number) => T): T {
  const descriptor = openSync(file, mode)
  try {
    return use(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
