/** A buffer of more may be impossible. */
const MOST_BYTES = 2 ** 30

/**
 * V8 does not count shared memory as a reason to collect garbage: what nobody needs any more would keep gigabytes. So when as much has been given up as
 * `limitBytes`, a buffer of that size is made that is counted, and never touched (so it takes addresses but no memory): the count has the collector
 * look. Not before, since a collection takes longer than most of what it would disturb. Each thread that has the memory has its own
 * `SharedArrayBuffer` for it, and must have it collected.
 * @returns takes note of bytes that are given up, if they are shared
 */
export function sharedGarbage(limitBytes: number): (given: Uint8Array) => void {
  const known = new WeakSet<SharedArrayBuffer>()
  let owed = 0
  return ({ buffer }) => {
    if (!(buffer instanceof SharedArrayBuffer) || known.has(buffer)) return
    known.add(buffer)
    owed += buffer.byteLength
    if (owed < Math.min(limitBytes, MOST_BYTES)) return
    Buffer.allocUnsafeSlow(Math.min(owed, MOST_BYTES))
    owed = 0
  }
}
