/** What a consumer saw last, and how often it has looked. */
export interface Board {
  us: Float64Array
  count: Int32Array
}

/** Bytes of a board. */
export const BOARD_BYTES = 16

/** Both sides see the same memory. */
export function boardIn({ buffer, byteOffset }: Uint8Array): Board {
  return { us: new Float64Array(buffer, byteOffset, 1), count: new Int32Array(buffer, byteOffset + 8, 1) }
}
