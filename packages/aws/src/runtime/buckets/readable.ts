import { type Deliverable, encodeDelivery, isRef, sizeOf } from 'fusionize/buckets'
import type { Payload } from 'fusionize/runtime'

/** A live object as an answer: what is too large for the table is named, as in a delivery. */
export function readable(bucket: string, session: string, key: string, value: Deliverable): Payload {
  if (!isRef(value)) return value
  const fired = { bucket, trigger: 0, id: '', objects: 1, bytes: sizeOf(value) }
  return encodeDelivery({ fired, at: 0, one: true, keys: false }, [{ key, session }], [value])
}
