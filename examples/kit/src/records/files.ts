import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { recordBytes } from './format.js'

/** Bytes that are read or written at once: whole records. */
export const chunkBytes = 80_000 * recordBytes

/** Reads exactly `into.length` bytes at `position`. @throws {RangeError} when the file ends before */
export function readFully(file: number, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length; ) {
    const read = readSync(file, into, done, into.length - done, position + done)
    if (read === 0)
      throw new RangeError(`the file ends at byte ${position + done}, in the middle of what was to be read`)
    done += read
  }
}

/** Writes all the bytes where the file stands. */
export function writeFully(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
}

/** The file in chunks, each valid until the next. A chunk is whole records, unless the file ends in the middle of one. */
export function* chunksOf(file: string): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(chunkBytes)
  const from = openSync(file, 'r')
  try {
    for (let filled = buffer.length; filled === buffer.length; ) {
      filled = 0
      let read = -1
      while (read !== 0 && filled < buffer.length) {
        read = readSync(from, buffer, filled, buffer.length - filled, null)
        filled += read
      }
      if (filled > 0) yield buffer.subarray(0, filled)
    }
  } finally {
    closeSync(from)
  }
}
