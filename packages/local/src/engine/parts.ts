import type { Outcome, Payload } from 'fusionize/runtime'
import { type Part, Utf8 } from '../sandbox/messages.js'

/** The part as text. */
export function textOf(part: Part): string {
  if (part instanceof Utf8)
    return Buffer.from(part.bytes.buffer, part.bytes.byteOffset, part.bytes.byteLength).toString()
  return part instanceof Uint8Array ? Buffer.from(part).toString() : (part ?? '')
}

/** Bytes of the part; JSON that is no UTF-8 yet counts as its length, as everywhere. */
export function bytesIn(part: Part): number {
  return part instanceof Utf8 ? part.bytes.length : (part?.length ?? 0)
}

export function payloadOf(part: Part): Payload {
  if (part instanceof Utf8) return textOf(part)
  return part instanceof Buffer ? new Uint8Array(part.buffer, part.byteOffset, part.byteLength) : part
}

export function outcomeOf(ok: boolean, part: Part): Outcome {
  return ok ? { ok, output: payloadOf(part) } : { ok, error: JSON.parse(textOf(part)) }
}
