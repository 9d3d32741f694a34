import { isUtf8 } from 'node:buffer'
import type { Payload } from '../runtime/protocol.js'
import { jsonProblem } from './json-break.js'
import { problem } from './replies.js'

/** What says how to read a body. */
export interface BodyHeaders {
  'content-type'?: string | undefined
  'content-encoding'?: string | undefined
}

/**
 * The input of a task from a request's body: JSON text as it came (checked, not written again), bytes, or nothing.
 * @returns a reply instead when the body cannot be an input
 */
export function inputOfBody(body: Buffer, headers: BodyHeaders): Payload | Response {
  if (body.length === 0) return undefined
  const kind = kindOf(headers)
  if (kind !== 'json' && kind !== 'bytes') return problem(415, 'UNSUPPORTED_MEDIA_TYPE', kind.refusal)
  if (kind === 'bytes') return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  // Decoding would put something else in the place of what is not UTF-8, and the task would never know.
  if (!isUtf8(body)) return problem(400, 'MALFORMED_JSON', 'the body is not JSON: it is not UTF-8')
  const text = body.toString()
  const broken = jsonProblem(text)
  if (broken === undefined) return text
  const { message, position } = broken
  return problem(400, 'MALFORMED_JSON', `the body is not JSON: ${message}`, { position })
}

/**
 * The input of an entry. GET and DELETE: an object of the query and the path's parameters, all strings. Other methods: the body; the path's
 * parameters are added to a body that is a JSON object, and are the input where there is no body.
 * @param query called for methods without a body
 * @param body called for all others
 */
export async function inputOfRequest(
  method: string,
  params: Record<string, string>,
  query: () => Record<string, string>,
  body: () => Promise<Payload | Response> | Payload | Response,
): Promise<Payload | Response> {
  if (method === 'GET' || method === 'DELETE') return JSON.stringify({ ...query(), ...params })
  const input = await body()
  if (input instanceof Response || Object.keys(params).length === 0) return input
  if (input === undefined) return JSON.stringify(params)
  if (typeof input !== 'string' || !input.trimStart().startsWith('{')) return input
  return JSON.stringify({ ...JSON.parse(input), ...params })
}

/** How a body is to be read, or why it cannot be; without a type it is JSON. */
function kindOf(headers: BodyHeaders): 'json' | 'bytes' | { refusal: string } {
  const { 'content-type': given = 'application/json', 'content-encoding': encoding } = headers
  if (encoding !== undefined && encoding !== 'identity')
    return { refusal: `cannot read a body in the encoding ${encoding}; send it as it is` }
  if (given === 'application/json') return 'json'
  const type = given.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/octet-stream') return 'bytes'
  if (type !== 'application/json' && !type.endsWith('+json'))
    return { refusal: `cannot read a body of type ${type}; send application/json or application/octet-stream` }
  const charset = /;\s*charset="?([^;"\s]+)/i.exec(given)?.[1] ?? 'utf-8'
  if (/^(utf-?8|us-ascii)$/i.test(charset)) return 'json'
  return { refusal: `cannot read JSON in ${charset}; send it in UTF-8` }
}
