import { type BucketState, type Deliverable, isRef, type ObjectRef } from 'fusionize/buckets'

/** A bucket's record as JSON. */
export interface Saved {
  state: BucketState
  /** `atMs`: arrival, epoch ms. */
  values: [session: string, key: string, seq: number, value: SavedValue, atMs?: number][]
  refs?: Record<string, string[]>
  wakeMs?: number | undefined
  armedMs?: number | undefined
}

/** A value as JSON. */
export type SavedValue = { json: string } | { base64: string } | ObjectRef | null

/** When somebody will tell a record the time, epoch ms. @param text of the record */
export function armedOf(text: string): number | undefined {
  return (JSON.parse(text) as Saved).armedMs
}

export function savedOf(value: Deliverable): SavedValue {
  if (value === undefined) return null
  if (isRef(value)) return value
  if (typeof value === 'string') return { json: value }
  return { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
}

export function fromSaved(value: SavedValue): Deliverable {
  if (value === null) return undefined
  if ('ref' in value) return value
  if ('json' in value) return value.json
  const { buffer, byteOffset, byteLength } = Buffer.from(value.base64, 'base64')
  return new Uint8Array(buffer, byteOffset, byteLength)
}
