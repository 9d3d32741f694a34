/** Bytes as text that JSON can carry. */
export function packBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

export function unpackBytes(text: string): Uint8Array {
  return Buffer.from(text, 'base64')
}

/** Numbers as text that JSON can carry, every bit of them: eight bytes each, in the machine's order. */
export function packNumbers(numbers: Float64Array): string {
  return packBytes(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))
}

export function unpackNumbers(text: string): Float64Array {
  const bytes = Buffer.from(text, 'base64')
  const numbers = new Float64Array(bytes.length / Float64Array.BYTES_PER_ELEMENT)
  new Uint8Array(numbers.buffer).set(bytes)
  return numbers
}
