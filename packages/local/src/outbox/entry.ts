import { crc32 } from 'node:zlib'
import type { Payload } from 'fusionize/runtime'
import type { SendEvent } from './events.js'

/**
 * One journal entry: u32 length of the body, u32 CRC-32 of the body; the body: u32 length of the head, the event as JSON without its
 * payload, the payload as it is. Little endian. What a dying process leaves half written fails its length or its checksum.
 */
const PREFIX = 8
/** No entry is longer; a larger length is garbage. */
const MAX_BODY = 1 << 30

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

/** The events of a journal file. @returns also how many bytes are sound: what follows was never acknowledged */
export function decodeEntries(data: Buffer): { events: SendEvent[]; sound: number } {
  const events: SendEvent[] = []
  let at = 0
  while (data.length - at >= PREFIX + 4) {
    const length = data.readUInt32LE(at)
    const end = at + PREFIX + length
    if (length < 4 || length > MAX_BODY || end > data.length) break
    const body = data.subarray(at + PREFIX, end)
    if (crc32(body) !== data.readUInt32LE(at + 4)) break
    const headEnd = 4 + body.readUInt32LE(0)
    events.push(join(body.toString('utf8', 4, headEnd), body.subarray(headEnd)))
    at = end
  }
  return { events, sound: at }
}

function split(event: SendEvent): [head: string, payload: Payload] {
  if (event.type !== 'accept') return [JSON.stringify(event), undefined]
  const { input, ...send } = event.send
  const kind: Kind = input === undefined ? 'nothing' : typeof input === 'string' ? 'text' : 'bytes'
  return [JSON.stringify({ type: 'accept', kind, send }), input]
}

function join(head: string, payload: Buffer): SendEvent {
  const event = JSON.parse(head) as SendEvent & { kind: Kind }
  if (event.type !== 'accept') return event
  const input =
    event.kind === 'nothing' ? undefined : event.kind === 'text' ? payload.toString() : new Uint8Array(payload)
  return { type: 'accept', send: { ...event.send, input } }
}
