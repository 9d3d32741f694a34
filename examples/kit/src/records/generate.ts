import { closeSync, openSync } from 'node:fs'
import { chunkBytes, writeFully } from './files.js'
import { countOf, recordBytes } from './format.js'

const chunkRecords = chunkBytes / recordBytes
const space = 0x20
const lineBreak = 0x0a
const hexDigits = Buffer.from('0123456789ABCDEF')

/**
 * Fills `into` with the records from number `first` on, after gensort: ten printable characters drawn from the seed and the number, the
 * number in hexadecimal, filler, a line break. A record depends on nothing else, so that parts can be made apart.
 */
export function fillRecords(into: Buffer, first: number, seed: number): void {
  const count = countOf(into)
  for (let i = 0, at = 0; i < count; i++, at += recordBytes) fillRecord(into, at, first + i, seed)
}

/** Writes a file of records. Blocks its thread meanwhile. */
export function writeRecords(file: string, { seed, records }: { seed: number; records: number }): void {
  const chunk = Buffer.allocUnsafe(Math.min(records, chunkRecords) * recordBytes)
  const to = openSync(file, 'w')
  try {
    for (let first = 0; first < records; first += chunkRecords) {
      const part = chunk.subarray(0, Math.min(records - first, chunkRecords) * recordBytes)
      fillRecords(part, first, seed)
      writeFully(to, part)
    }
  } finally {
    closeSync(to)
  }
}

function fillRecord(into: Buffer, at: number, number: number, seed: number): void {
  const low = number >>> 0
  const high = Math.floor(number / 2 ** 32)
  const a = mix(Math.imul(seed, 0x9e3779b1) ^ mix(low) ^ Math.imul(high, 0x85ebca6b))
  const b = mix(a + 0x632be5ab)
  const c = mix(b + 0x1f123bb5)
  for (let i = 0; i < 4; i++) into[at + i] = printable(a >>> (8 * i))
  for (let i = 0; i < 4; i++) into[at + 4 + i] = printable(b >>> (8 * i))
  into[at + 8] = printable(c)
  into[at + 9] = printable(c >>> 8)
  into[at + 10] = into[at + 11] = space
  for (let i = 0; i < 8; i++) into[at + 12 + i] = hexDigits[(high >>> (28 - 4 * i)) & 15] as number
  for (let i = 0; i < 8; i++) into[at + 20 + i] = hexDigits[(low >>> (28 - 4 * i)) & 15] as number
  into[at + 28] = into[at + 29] = space
  into.fill(0x41 + ((c >>> 16) % 26), at + 30, at + recordBytes - 1)
  into[at + recordBytes - 1] = lineBreak
}

/** One of the 95 characters from space to tilde, of the lowest byte. */
function printable(bits: number): number {
  return space + (((bits & 255) * 95) >>> 8)
}

/** The finalizer of MurmurHash3. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}
