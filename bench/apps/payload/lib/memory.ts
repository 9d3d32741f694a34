const buffers = new Map<number, Uint8Array>()

/** So many bytes that threads can share, the same ones at every call. */
export function sharedBytes(length: number): Uint8Array {
  let bytes = buffers.get(length)
  if (bytes === undefined) {
    bytes = new Uint8Array(new SharedArrayBuffer(length))
    buffers.set(length, bytes)
  }
  return bytes
}
