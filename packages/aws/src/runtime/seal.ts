import { randomUUID } from 'node:crypto'
import type { Payload } from 'fusionize/runtime'
import type { Sealed } from './envelope.js'
import type { ObjectStore } from './object-store.js'

/** Where payloads go that no envelope can take. */
export const PAYLOADS = 'payloads/'

/**
 * The value as it stands in an envelope; what is larger than the limit goes to the object store first.
 * @param limit bytes that the envelope may have
 * @param deadline epoch ms
 */
export async function seal(payload: Payload, limit: number, store: ObjectStore, deadline: number): Promise<Sealed> {
  if (payload === undefined) return {}
  const json = typeof payload === 'string' ? parsed(payload) : undefined
  const kind = typeof payload !== 'string' ? 'bytes' : json ? 'json' : 'text'
  const data = typeof payload === 'string' ? payload : Buffer.from(payload)
  if (sealedBytes(data, kind) > limit) {
    const key = `${PAYLOADS}${randomUUID()}`
    await store.put(key, data, deadline)
    return { s3: key, kind, bytes: Buffer.byteLength(data) }
  }
  if (kind === 'bytes') return { base64: (data as Buffer).toString('base64') }
  return json ?? { text: payload as string }
}

/** @returns what `seal` was given */
export async function open(sealed: Sealed, store: ObjectStore, deadline: number): Promise<Payload> {
  if ('json' in sealed) return JSON.stringify(sealed.json)
  if ('text' in sealed) return sealed.text
  if ('base64' in sealed) return bytesOf(Buffer.from(sealed.base64, 'base64'))
  if (!('s3' in sealed)) return undefined
  const data = await store.get(sealed.s3, deadline)
  return sealed.kind === 'bytes' ? bytesOf(data) : data.toString()
}

/** What a trigger delivers, and the items of a bundle, are no JSON. */
function parsed(text: string): { json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) }
  } catch {
    return undefined
  }
}

function sealedBytes(data: string | Uint8Array, kind: 'json' | 'text' | 'bytes'): number {
  if (typeof data !== 'string') return Math.ceil(data.byteLength / 3) * 4
  // In a string of JSON a quote and a backslash take two bytes.
  return kind === 'json' ? Buffer.byteLength(data) : Buffer.byteLength(JSON.stringify(data))
}

function bytesOf({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
