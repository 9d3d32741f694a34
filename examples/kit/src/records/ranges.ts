import { closeSync, openSync } from 'node:fs'
import { readFully } from './files.js'
import { compareBytes, keyBytes, recordBytes } from './format.js'

/** Keys that are read for every range: ranges then differ in size by some percent. */
const keysPerRange = 400

/**
 * Bounds that cut the keys of a file into ranges of about the same size, from a sample of them (as TeraSort does).
 * @returns `ranges - 1` keys, one after the other: range r begins with the r-th, the first with anything
 */
export function sampleBounds(file: string, records: number, ranges: number): Buffer {
  const samples = Math.min(records, keysPerRange * ranges)
  const keys = Buffer.alloc(samples * keyBytes)
  const from = openSync(file, 'r')
  try {
    for (let i = 0; i < samples; i++) readFully(from, keyAt(keys, i), Math.floor((i * records) / samples) * recordBytes)
  } finally {
    closeSync(from)
  }
  return boundsOf(keys, ranges)
}

/** Bounds that cut these keys into ranges of about the same size. */
export function boundsOf(keys: Buffer, ranges: number): Buffer {
  const sorted = Array.from({ length: keys.length / keyBytes }, (_, i) => keyAt(keys, i)).sort((a, b) =>
    compareBytes(a, 0, b, 0, keyBytes),
  )
  const bounds = Buffer.alloc((ranges - 1) * keyBytes)
  for (let r = 1; r < ranges; r++) sorted[Math.floor((r * sorted.length) / ranges)]?.copy(keyAt(bounds, r - 1))
  return bounds
}

function keyAt(keys: Buffer, i: number): Buffer {
  return keys.subarray(i * keyBytes, (i + 1) * keyBytes)
}
