import type { Fired } from '../record.js'
import type { ObjectRef, Payload } from './protocol.js'
import { stringify } from './wire.js'

/*
 * What a trigger delivers, in transit: text that begins with a character that no JSON begins with, so that it travels, is kept and is
 * run again like any other input. Values are JSON as they are, bytes in base64; large ones are only named, and fetched where
 * they are needed.
 */
const plain = '\u0001'
const withRefs = '\u0002'

/** What can stand for an object's value in a delivery. */
export type Deliverable = Payload | ObjectRef

export interface DeliveryHead {
  fired: Omit<Fired, 'waitMs'>
  /** Epoch ms of what completed the trigger. */
  at: number
  /** One object, not a list. */
  one: boolean
  keys: boolean
}

type Item = [key: string, session: string, group: string | null, kind: 0 | 1 | 2 | 3, value: unknown]

const JSON_VALUE = 0
const BYTES = 1
const NOTHING = 2
const REF = 3

/** Writes a delivery. */
export function encodeDelivery(
  head: DeliveryHead,
  objects: readonly { key: string; session: string; group?: string | undefined }[],
  values: readonly Deliverable[],
): string {
  let refs = false
  let items = ''
  for (const [i, { key, session, group }] of objects.entries()) {
    const value = head.keys ? undefined : values[i]
    if (isRef(value)) refs = true
    items += `${i > 0 ? ',' : ''}[${stringify(key)},${stringify(session)},${group === undefined ? 'null' : stringify(group)},${textOf(value)}]`
  }
  return `${refs ? withRefs : plain}{"head":{"fired":{${firedText(head)}},"at":${head.at},"one":${head.one},"keys":${head.keys}},"items":[${items}]}`
}

/** Its fields as JSON. Without JSON.stringify, which takes three times as long: names of buckets need no quoting. */
export function firedText({ fired: { bucket, trigger, id, objects, bytes } }: DeliveryHead): string {
  return `"bucket":"${bucket}","trigger":${trigger},"id":${stringify(id)},"objects":${objects},"bytes":${bytes}`
}

function textOf(value: Deliverable): string {
  if (value === undefined) return `${NOTHING},null`
  if (typeof value === 'string') return `${JSON_VALUE},${value}`
  if (isRef(value)) return `${REF},${stringify(value)}`
  return `${BYTES},"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"`
}

export function isRef(value: Deliverable): value is ObjectRef {
  return typeof value === 'object' && 'ref' in value
}

export function isDelivery(payload: Payload): payload is string {
  return typeof payload === 'string' && (payload[0] === plain || payload[0] === withRefs)
}

/** Whether objects must be fetched to read the delivery. */
export function namesObjects(payload: Payload): payload is string {
  return typeof payload === 'string' && payload[0] === withRefs
}

/** The references in a delivery. */
export function refsIn(payload: Payload): ObjectRef[] {
  if (!namesObjects(payload)) return []
  const { items } = JSON.parse(payload.slice(1)) as { items: Item[] }
  return items.flatMap(([, , , kind, value]) => (kind === REF ? [value as ObjectRef] : []))
}

/** Reads a delivery: the task's input, and how it was fired. @param fetch gives the bytes of a reference */
export function decodeDelivery(
  payload: string,
  fetch: (ref: ObjectRef) => Promise<Uint8Array>,
): { head: DeliveryHead; input: unknown } | Promise<{ head: DeliveryHead; input: unknown }> {
  const { head, items } = JSON.parse(payload.slice(1)) as { head: DeliveryHead; items: Item[] }
  if (payload[0] === plain) return { head, input: inputOf(head, items.map(objectOf)) }
  return Promise.all(
    items.map(async (item) => {
      if (item[3] !== REF) return objectOf(item)
      const ref = item[4] as ObjectRef
      const bytes = await fetch(ref)
      return named(item, ref.json ? JSON.parse(Buffer.from(bytes).toString()) : bytes)
    }),
  ).then((objects) => ({ head, input: inputOf(head, objects) }))
}

function objectOf(item: Item): unknown {
  const [, , , kind, value] = item
  return named(item, kind === BYTES ? fromBase64(value as string) : kind === NOTHING ? undefined : value)
}

function fromBase64(text: string): Uint8Array {
  const buffer = Buffer.from(text, 'base64')
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function named([key, session, group]: Item, value: unknown) {
  return group === null ? { key, value, session } : { key, value, session, group }
}

/** What the trigger's task gets. */
export function inputOf({ one, keys }: Pick<DeliveryHead, 'one' | 'keys'>, objects: readonly unknown[]): unknown {
  const list = keys ? objects.map((object) => (object as { key: string }).key) : objects
  return one ? list[0] : list
}

/** Whether a trigger's task gets one object or a list, whole objects or keys. */
export function shapeOf(
  spec: { kind: string; delivers: string },
  incomplete: boolean,
): { one: boolean; keys: boolean } {
  return { one: !incomplete && (spec.kind === 'immediate' || spec.kind === 'byName'), keys: spec.delivers === 'keys' }
}
