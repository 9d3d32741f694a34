/** Bytes of a record: a key, what it carries, and a line break at the end. */
export const recordBytes = 100

/** Bytes of the key, which a record begins with. */
export const keyBytes = 10

/** 32-bit words of a record. */
export const recordWords = recordBytes / 4

/** How many records these bytes are. @throws {RangeError} when they end in the middle of one */
export function countOf(records: Uint8Array): number {
  const count = records.byteLength / recordBytes
  if (Number.isInteger(count)) return count
  throw new RangeError(`${records.byteLength} bytes are no whole number of records of ${recordBytes} bytes`)
}

/** The same memory as words. @throws {RangeError} when it does not lie at a multiple of four, or ends in the middle of a record */
export function wordsOf(records: Uint8Array): Int32Array {
  return new Int32Array(records.buffer, records.byteOffset, countOf(records) * recordWords)
}

/** Below 0 when the `length` bytes at `i` of `a` come before those at `j` of `b`; 0 when they are equal. */
export function compareBytes(a: Uint8Array, i: number, b: Uint8Array, j: number, length: number): number {
  for (let end = i + length; i < end; i++, j++) {
    const difference = (a[i] as number) - (b[j] as number)
    if (difference !== 0) return difference
  }
  return 0
}
