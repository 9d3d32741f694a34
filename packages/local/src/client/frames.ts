import type { Payload } from 'fusionize/runtime'
import { Utf8 } from '../sandbox/messages.js'

/*
 * What a client and the platform's socket say to each other: one frame a request, one an answer, in any order. Numbers are little endian.
 *
 *     u32 length of the rest · u8 kind · u8 kind of the payload · u16 length of the task
 *     u32 id · u32 number · u16 length of the session · u16 length of the traceparent
 *     task · session · traceparent (UTF-8) · payload
 *
 * The platform speaks first (`hello`). A frame that is none is told (`fault`) and ends the connection.
 */

/** Spoken by both; the id of `hello`. */
export const VERSION = 1

/** Kinds of frames. */
export const kinds = {
  /** platform: id = version, number = bytes of the largest payload that it takes. */
  hello: 1,
  /** client: runs `task`; number = time limit in ms, 0 = the platform's. The id is the client's, and free again with the answer. */
  invoke: 2,
  /** client: nobody waits for the answer any more; there will be none. */
  cancel: 3,
  /** platform: the output. */
  output: 4,
  /** platform: the error, as JSON of a `WireError`. */
  error: 5,
  /** platform: why it ends the connection, as JSON of a `WireError`. */
  fault: 6,
} as const

/** Kinds of payloads. */
const nothing = 0
const text = 1
const bytes = 2

const HEADER = 20
/** Bytes of a task's name, a session or a traceparent. */
export const MAX_NAME = 65_535

/** What a frame may be longer than its payload. */
export const MAX_EXTRA = HEADER + 3 * MAX_NAME

export interface Frame {
  kind: number
  id: number
  number: number
  task: string
  session: string
  traceparent: string
  /** Text is JSON. */
  payload: Payload | Utf8
}

/** Bytes of the frame. Names longer than `MAX_NAME` are the caller's to refuse. */
export function frameLength(frame: Frame): number {
  const { task, session, traceparent, payload } = frame
  return HEADER + lengthOf(task) + lengthOf(session) + lengthOf(traceparent) + lengthOf(payload)
}

/** Writes the frame at `at`, where there is room for it. @returns where it ends */
export function writeFrame(buffer: Buffer, at: number, frame: Frame): number {
  const { payload } = frame
  let end = at + HEADER
  const task = putText(buffer, frame.task, end)
  end += task
  const session = putText(buffer, frame.session, end)
  end += session
  const traceparent = putText(buffer, frame.traceparent, end)
  end += traceparent
  if (typeof payload === 'string') end += putText(buffer, payload, end)
  else if (payload !== undefined) {
    const data = payload instanceof Utf8 ? payload.bytes : payload
    buffer.set(data, end)
    end += data.length
  }
  buffer.writeUInt32LE(end - at - 4, at)
  buffer[at + 4] = frame.kind
  buffer[at + 5] = payload === undefined ? nothing : payload instanceof Uint8Array ? bytes : text
  buffer.writeUInt16LE(task, at + 6)
  buffer.writeUInt32LE(frame.id, at + 8)
  buffer.writeUInt32LE(frame.number, at + 12)
  buffer.writeUInt16LE(session, at + 16)
  buffer.writeUInt16LE(traceparent, at + 18)
  return end
}

/** One frame in a buffer of its own. */
export function frameOf(frame: Frame): Buffer {
  const buffer = Buffer.allocUnsafe(frameLength(frame))
  writeFrame(buffer, 0, frame)
  return buffer
}

/**
 * Reads the frame from `start` to `end`. Bytes are a view of `data`; text is left in UTF-8.
 * @throws {SyntaxError} it is none
 */
export function readFrame(data: Buffer, start: number, end: number): Frame {
  if (end - start < HEADER) throw new SyntaxError(`it has ${end - start} bytes; a frame has ${HEADER} at least`)
  const task = start + HEADER
  const session = task + data.readUInt16LE(start + 6)
  const traceparent = session + data.readUInt16LE(start + 16)
  const payload = traceparent + data.readUInt16LE(start + 18)
  if (payload > end) throw new SyntaxError('its names are longer than itself')
  return {
    kind: data[start + 4] as number,
    id: data.readUInt32LE(start + 8),
    number: data.readUInt32LE(start + 12),
    task: textOf(data, task, session),
    session: textOf(data, session, traceparent),
    traceparent: textOf(data, traceparent, payload),
    payload: payloadOf(data, data[start + 5] as number, payload, end),
  }
}

function payloadOf(data: Buffer, kind: number, from: number, to: number): Frame['payload'] {
  if (kind === bytes) return new Uint8Array(data.buffer, data.byteOffset + from, to - from)
  if (kind === text) return new Utf8(data.subarray(from, to))
  if (kind !== nothing) throw new SyntaxError(`it has a payload of kind ${kind}; kinds are 0 to 2`)
  if (from < to) throw new SyntaxError('it has a payload and says that it has none')
  return undefined
}

function textOf(data: Buffer, from: number, to: number): string {
  return from === to ? '' : data.toString('utf8', from, to)
}

function putText(buffer: Buffer, value: string, at: number): number {
  return value === '' ? 0 : buffer.write(value, at)
}

function lengthOf(part: Payload | Utf8): number {
  if (typeof part === 'string') return Buffer.byteLength(part)
  return part === undefined ? 0 : part instanceof Utf8 ? part.bytes.length : part.length
}
