/** What arrived. */
export interface Arrival {
  bytes: number
  checksum: number
}

/** Bytes that follow from their number alone. */
export function payloadOf(bytes: number): Uint8Array {
  const words = new Int32Array(Math.ceil(bytes / 4))
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + bytes, 0x9e3779b1)
  return new Uint8Array(words.buffer, 0, bytes)
}

/** Changes with every byte and with their order. */
export function checksumOf(payload: Uint8Array): number {
  const aligned = payload.byteOffset % 4 === 0 ? payload : new Uint8Array(payload)
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2)
  let sum = aligned.length
  for (let i = 0; i < words.length; i++) sum = Math.imul(sum ^ (words[i] as number), 0x01000193)
  for (let i = words.length * 4; i < aligned.length; i++) sum = Math.imul(sum ^ (aligned[i] as number), 0x01000193)
  return sum >>> 0
}
