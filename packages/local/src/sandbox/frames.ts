import { Cutter } from './cutter.js'
import { type Head, type Part, Utf8 } from './messages.js'

/**
 * A message on a byte stream: u32 length of the rest, u32 length of the head, u32 number of parts, per part u8 kind and u32 length,
 * then the head (JSON) and the parts as they are. Little endian.
 */
const PREFIX = 12
const PART = 5
const kinds = { nothing: 0, text: 1, bytes: 2 }

/** Parts at least this long are not copied into the frame. */
const LARGE = 16_384

/** Appends the message to `out` as one or more buffers. */
export function writeFrame(out: Uint8Array[], head: Head, parts: readonly Part[]): void {
  const headText = JSON.stringify(head)
  const headLength = Buffer.byteLength(headText)
  let length = PREFIX + parts.length * PART + headLength
  let small = length
  const lengths: number[] = []
  for (const part of parts) {
    const n = part === undefined ? 0 : typeof part === 'string' ? Buffer.byteLength(part) : bytesOf(part).length
    lengths.push(n)
    length += n
    if (n < LARGE) small += n
  }
  const buffer = Buffer.allocUnsafe(small)
  buffer.writeUInt32LE(length - 4, 0)
  buffer.writeUInt32LE(headLength, 4)
  buffer.writeUInt32LE(parts.length, 8)
  let at = PREFIX
  for (const [i, part] of parts.entries()) {
    buffer[at] = part === undefined ? kinds.nothing : part instanceof Uint8Array ? kinds.bytes : kinds.text
    buffer.writeUInt32LE(lengths[i] as number, at + 1)
    at += PART
  }
  at += buffer.write(headText, at)
  let from = 0
  for (const [i, part] of parts.entries()) {
    if (part === undefined) continue
    if ((lengths[i] as number) >= LARGE) {
      out.push(buffer.subarray(from, at), typeof part === 'string' ? Buffer.from(part) : bytesOf(part))
      from = at
    } else if (typeof part === 'string') at += buffer.write(part, at)
    else {
      buffer.set(bytesOf(part), at)
      at += lengths[i] as number
    }
  }
  if (at > from) out.push(buffer.subarray(from, at))
}

function bytesOf(part: Uint8Array | Utf8): Uint8Array {
  return part instanceof Utf8 ? part.bytes : part
}

/** Cuts a byte stream into messages. Parts are views of the chunks they came in. */
export class FrameReader {
  readonly #cutter = new Cutter((data, start) => this.#message(data, start))

  constructor(
    /** Text parts are left as `Utf8`. */
    readonly keepText: boolean,
    readonly onMessage: (head: Head, parts: Part[]) => void,
  ) {}

  push(chunk: Buffer): void {
    this.#cutter.push(chunk)
  }

  #message(data: Buffer, start: number): void {
    const headLength = data.readUInt32LE(start + 4)
    const count = data.readUInt32LE(start + 8)
    const headAt = start + PREFIX + count * PART
    let at = headAt + headLength
    const head = JSON.parse(data.toString('utf8', headAt, at)) as Head
    const parts: Part[] = []
    for (let i = 0, p = start + PREFIX; i < count; i++, p += PART) {
      const end = at + data.readUInt32LE(p + 1)
      parts.push(this.#part(data[p] as number, data, at, end))
      at = end
    }
    this.onMessage(head, parts)
  }

  #part(code: number, data: Buffer, from: number, to: number): Part {
    if (code === kinds.nothing) return undefined
    if (code === kinds.bytes) return data.subarray(from, to)
    return this.keepText ? new Utf8(data.subarray(from, to)) : data.toString('utf8', from, to)
  }
}
