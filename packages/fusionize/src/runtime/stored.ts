import type { BucketDefinition } from '../definition.js'
import { FusionizeError } from '../errors.js'
import type { Deliverable } from './delivery.js'
import type { Router } from './router.js'
import { laterOf, transportOf } from './surroundings.js'
import { copy, encode } from './wire.js'

/** A value in a fused bucket: nobody else's copy, and its size on the wire. */
export interface Stored {
  value: unknown
  bytes: number
}

/** Bytes of a value from which on it goes through the object store instead of in messages. */
const LARGE_BYTES = 32_768

/** Bytes of a value at most. */
const MAX_BYTES = 1_073_741_824

export function isShared({ buffer }: Uint8Array): boolean {
  return buffer instanceof SharedArrayBuffer
}

export function isLarge(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && (value.byteLength > LARGE_BYTES || isShared(value))
}

export function checkSize(b: BucketDefinition, key: string, { byteLength }: Uint8Array): void {
  if (byteLength > MAX_BYTES)
    throw new FusionizeError(
      'PAYLOAD_TOO_LARGE',
      `bucket '${b.name}': the object '${key}' has ${byteLength} bytes, and an object has ${MAX_BYTES} at most; put it in parts`,
      { bucket: b.name, key, bytes: byteLength, maxBytes: MAX_BYTES },
    )
}

/** A stored value as a task may have it. */
export function given({ value }: Stored): unknown {
  return value instanceof Uint8Array && isShared(value) ? value : copy(value)
}

/** A stored value as it leaves the sandbox. */
export function outgoing(router: Router, value: unknown): Deliverable {
  return isLarge(value) && laterOf(router) === undefined ? transportOf(router).share(value) : encode(value)
}

export function same(a: Stored, b: Stored): boolean {
  const [x, y] = [encode(a.value), encode(b.value)]
  if (!(x instanceof Uint8Array && y instanceof Uint8Array)) return x === y
  return x.length === y.length && Buffer.compare(x, y) === 0
}
