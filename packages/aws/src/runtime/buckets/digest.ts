import { createHash, randomUUID } from 'node:crypto'
import { type Deliverable, isRef } from 'fusionize/buckets'

/** Where objects go that are too large for the table. */
export const OBJECTS = 'objects/'

/** A new name for an object: says what is in it, so that two can be compared without being read. */
export function objectName(bucket: string, data: string | Uint8Array): string {
  return `${OBJECTS}${bucket}/${digestOf(data)}-${randomUUID()}`
}

/** Whether two values have the same bytes. */
export function same(a: Deliverable, b: Deliverable): boolean {
  if (isJson(a) !== isJson(b)) return false
  if (isRef(a) || isRef(b)) return contentOf(a) === contentOf(b)
  if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return a === b
  return a.length === b.length && Buffer.compare(a, b) === 0
}

function isJson(value: Deliverable): boolean {
  return isRef(value) ? value.json : typeof value === 'string'
}

function contentOf(value: Deliverable): string {
  if (value === undefined) return ''
  if (!isRef(value)) return digestOf(value)
  const name = value.ref.slice(value.ref.lastIndexOf('/') + 1)
  return name.slice(0, name.indexOf('-'))
}

function digestOf(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 32)
}
