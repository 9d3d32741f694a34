import type { Payload } from './protocol.js'

/** Several payloads as one: their lengths, then themselves; text where all are text. */
export function encodeList(payloads: readonly Payload[]): Payload {
  const lengths: number[] = []
  let isText = true
  for (const payload of payloads) {
    if (typeof payload === 'object') isText = false
    lengths.push(
      payload === undefined ? NOTHING : typeof payload === 'string' ? payload.length : BYTES - payload.length,
    )
  }
  if (isText) return `${lengths.join()}\n${payloads.join('')}`
  const parts = payloads.map((payload, i) => {
    if (typeof payload !== 'string') return payload ?? new Uint8Array(0)
    const text = Buffer.from(payload)
    lengths[i] = text.length
    return text
  })
  const all = Buffer.concat([Buffer.from(`${lengths.join()}\n`), ...parts])
  return new Uint8Array(all.buffer, all.byteOffset, all.byteLength)
}

const NOTHING = -1
/** Less the length. */
const BYTES = -2
const LINE_END = 10

/** What `encodeList` was given; bytes are copies. */
export function decodeList(payload: Payload): Payload[] {
  const text = typeof payload === 'string' ? payload : undefined
  const bytes = text === undefined ? bufferOf(payload as Uint8Array) : undefined
  let at = (bytes ? bytes.indexOf(LINE_END) : (text as string).indexOf('\n')) + 1
  const head = bytes ? bytes.toString('latin1', 0, at - 1) : (text as string).slice(0, at - 1)
  return head.split(',').map((told) => {
    const length = Number(told)
    if (length === NOTHING) return undefined
    const start = at
    at += length < 0 ? BYTES - length : length
    if (bytes === undefined) return (text as string).slice(start, at)
    return length < 0 ? new Uint8Array(bytes.subarray(start, at)) : bytes.toString('utf8', start, at)
  })
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** Id of the invocation that runs `items` items, the first of which has the id `first`. */
export function bundleId(first: string, items: number): string {
  return `${first}*${items}`
}

/** Items in the invocation of that id; 0 when it is no bundle. Ids of calls end in a place or a fingerprint, never so. */
export function itemsIn(id: string): number {
  const at = id.lastIndexOf('*')
  return at < 0 ? 0 : Number(id.slice(at + 1)) || 0
}
