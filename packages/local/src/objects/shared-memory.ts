/**
 * V8 does not count shared memory as a reason to collect garbage: views that nobody needs any more would keep gigabytes. So each
 * `SharedArrayBuffer` gets a weight: a buffer of its size that is counted, never touched (so it takes addresses but no memory) and is
 * collected with it. Each thread that has the memory has its own `SharedArrayBuffer` for it, and must weigh it.
 */
const weights = new WeakMap<SharedArrayBuffer, Uint8Array>()

/** Zeros in shared memory. */
export function sharedBytes(length: number): Uint8Array {
  const value = new Uint8Array(new SharedArrayBuffer(length))
  weigh(value)
  return value
}

/** Has the collector know how much shared memory is behind these bytes, if it is shared. */
export function weigh({ buffer }: Uint8Array): void {
  if (buffer instanceof SharedArrayBuffer && !weights.has(buffer))
    weights.set(buffer, Buffer.allocUnsafeSlow(buffer.byteLength))
}
