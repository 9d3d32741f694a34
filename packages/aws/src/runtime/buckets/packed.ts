import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** Characters from which on a text is worth packing: writing an item costs by the kB. */
const PACK_CHARS = 2_000

/** The text as it stands in an item: packed when it is long. */
export function pack(text: string): string {
  return text.length < PACK_CHARS ? text : `~${deflateRawSync(text).toString('base64')}`
}

/** @returns what `pack` was given */
export function unpack(packed: string): string {
  return packed[0] === '~' ? inflateRawSync(Buffer.from(packed.slice(1), 'base64')).toString() : packed
}
