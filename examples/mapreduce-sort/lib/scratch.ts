/** Memory of this process that one task after the other uses. */
const memory = new Map<string, Buffer>()

/**
 * So many bytes, with whatever was there before. The next to ask for the same name gets the same memory, so nobody may hold it over an
 * `await`. Half a gigabyte that is allocated anew for every range would be there twice before the old one is collected.
 */
export function scratch(name: 'records' | 'spare', bytes: number): Buffer {
  let found = memory.get(name)
  if (found === undefined || found.length < bytes) {
    memory.delete(name)
    found = Buffer.allocUnsafeSlow(bytes)
    memory.set(name, found)
  }
  return found.subarray(0, bytes)
}
