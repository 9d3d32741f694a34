/** Payloads begin with the us at which they were put, and have room for a mark behind it: 10 bytes at least. */
const MARK = 8

export function stamp(bytes: Uint8Array, us: number): void {
  view(bytes).setFloat64(0, us)
  bytes[MARK] = 0
}

export function stampOf(bytes: Uint8Array): number {
  return view(bytes).getFloat64(0)
}

/** Whoever shares the memory sees the mark. */
export function mark(bytes: Uint8Array): void {
  bytes[MARK] = 1
}

export function isMarked(bytes: Uint8Array): boolean {
  return bytes[MARK] === 1
}

function view({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}
