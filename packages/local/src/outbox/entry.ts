import { crc32 } from 'node:zlib'
import { isRef } from 'fusionize/buckets'
import type { Payload } from 'fusionize/runtime'
import type { SendEvent } from './events.js'

/**
 * One journal entry: u32 length of the body, u32 CRC-32 of the body; the body: u32 length of the head, the event as JSON without its
 * payload, the payload as it is. Little endian. What a dying process leaves half written fails its length or its checksum.
 */
const PREFIX = 8
/** No entry is longer; a larger length is garbage. */
const MAX_BODY = 1 << 30
/** Beside the length of an entry that counts only with the next one. */
const WITH_NEXT = 2 ** 31

type Kind = 'nothing' | 'text' | 'bytes'

export function encodeEntry(event: SendEvent): Buffer {
  const [head, payload] = split(event)
  const headLength = Buffer.byteLength(head)
  const payloadLength =
    payload === undefined ? 0 : typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
  const entry = Buffer.allocUnsafe(PREFIX + 4 + headLength + payloadLength)
  entry.writeUInt32LE(entry.length - PREFIX, 0)
  entry.writeUInt32LE(headLength, PREFIX)
  entry.write(head, PREFIX + 4)
  if (typeof payload === 'string') entry.write(payload, PREFIX + 4 + headLength)
  else if (payload) entry.set(payload, PREFIX + 4 + headLength)
  entry.writeUInt32LE(crc32(entry.subarray(PREFIX)), 4)
  return entry
}

/** Entries that count together or not at all: a put without what it fired would lose that. */
export function oneWrite(entries: readonly Buffer[]): Buffer {
  for (const entry of entries.slice(0, -1)) entry.writeUInt32LE(entry.readUInt32LE(0) + WITH_NEXT, 0)
  return Buffer.concat(entries)
}

/** The events of a journal file. @returns also how many bytes are sound: what follows was never acknowledged */
export function decodeEntries(data: Buffer): { events: SendEvent[]; sound: number } {
  const events: SendEvent[] = []
  let [sound, counting] = [0, 0]
  for (let at = 0; data.length - at >= PREFIX + 4; ) {
    const marked = data.readUInt32LE(at)
    const length = marked % WITH_NEXT
    const end = at + PREFIX + length
    if (length < 4 || length > MAX_BODY || end > data.length) break
    const body = data.subarray(at + PREFIX, end)
    if (crc32(body) !== data.readUInt32LE(at + 4)) break
    const headEnd = 4 + body.readUInt32LE(0)
    events.push(join(body.toString('utf8', 4, headEnd), body.subarray(headEnd)))
    at = end
    if (marked >= WITH_NEXT) continue
    sound = end
    counting = events.length
  }
  return { events: events.slice(0, counting), sound }
}

function split(event: SendEvent): [head: string, payload: Payload] {
  if (event.type === 'accept') {
    const { input, ...send } = event.send
    return [JSON.stringify({ type: 'accept', kind: kindOf(input), send }), input]
  }
  if ((event.type === 'expect' || event.type === 'owed') && event.send) {
    const { input, ...send } = event.send
    return [JSON.stringify({ ...event, kind: kindOf(input), send }), input]
  }
  if (event.type === 'bucket' && 'value' in event.change && !isRef(event.change.value)) {
    const { value, ...change } = event.change
    return [JSON.stringify({ ...event, kind: kindOf(value as Payload), change }), value as Payload]
  }
  return [JSON.stringify(event), undefined]
}

function kindOf(payload: Payload): Kind {
  return payload === undefined ? 'nothing' : typeof payload === 'string' ? 'text' : 'bytes'
}

function join(head: string, payload: Buffer): SendEvent {
  const { kind, ...event } = JSON.parse(head) as SendEvent & { kind?: Kind }
  const value = kind === 'text' ? payload.toString() : kind === 'bytes' ? new Uint8Array(payload) : undefined
  if (event.type === 'accept') return { type: 'accept', send: { ...event.send, input: value } }
  if ((event.type === 'expect' || event.type === 'owed') && event.send)
    return { ...event, send: { ...event.send, input: value } }
  if (event.type === 'bucket' && kind !== undefined)
    return { ...event, change: { ...event.change, value } as typeof event.change }
  return event as SendEvent
}
