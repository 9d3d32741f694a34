/**
 * V8 does not count shared memory as a reason to collect garbage: what nobody needs any more would keep gigabytes. So a
 * `SharedArrayBuffer` that is given up gets a weight: a buffer of its size that is counted, never touched (so it takes addresses but no
 * memory) and collected with it. Only then, since the count may start a collection at once, which whoever puts or reads should not wait for.
 * Each thread that has the memory has its own `SharedArrayBuffer` for it, and must weigh it.
 */
const weights = new WeakMap<SharedArrayBuffer, Uint8Array>()

/** Has the collector know how much shared memory is behind these bytes, if it is shared. */
export function weigh({ buffer }: Uint8Array): void {
  if (buffer instanceof SharedArrayBuffer && !weights.has(buffer))
    weights.set(buffer, Buffer.allocUnsafeSlow(buffer.byteLength))
}
