import { type Deliverable, isRef, type ObjectRef } from 'fusionize/buckets'
import type { RemovingStore } from '../object-store.js'
import { objectName } from './digest.js'
import { COMMIT_MS } from './ports.js'

/** Bytes of a value that stands in a bucket's record. */
const INLINE_BYTES = 4096

/** Values that are too large for the table, in S3. */
export class Objects {
  /** On their way, by name. */
  readonly #leaving = new Map<string, Promise<void>>()

  constructor(
    readonly store: RemovingStore,
    readonly now: () => number,
  ) {}

  /** Names bytes at once; they are there when `place` says so. */
  share(value: Uint8Array): ObjectRef {
    const ref = objectName('shared', value)
    const left = this.store.put(ref, value, this.now() + COMMIT_MS)
    left.catch(() => {})
    this.#leaving.set(ref, left)
    return { ref, bytes: value.byteLength, json: false }
  }

  /** The value as a bucket's record has it: itself, or the name of what is in the store now. */
  async place(bucket: string, value: Deliverable, deadline: number): Promise<Deliverable> {
    if (value === undefined) return value
    if (!isRef(value)) return bytesOf(value) <= INLINE_BYTES ? value : this.keep(bucket, value, deadline)
    const left = this.#leaving.get(value.ref)
    this.#leaving.delete(value.ref)
    await left
    return value
  }

  /** Puts a value into the store. */
  async keep(bucket: string, value: Deliverable, deadline: number): Promise<Deliverable> {
    if (value === undefined || isRef(value)) return value
    const ref = objectName(bucket, value)
    await this.store.put(ref, value, deadline)
    return { ref, bytes: bytesOf(value), json: typeof value === 'string' }
  }

  async read(ref: string): Promise<Uint8Array> {
    const { buffer, byteOffset, byteLength } = await this.store.get(ref, this.now() + COMMIT_MS)
    return new Uint8Array(buffer, byteOffset, byteLength)
  }
}

function bytesOf(value: string | Uint8Array): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength
}
