import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Payload } from 'fusionize/runtime'
import { jsonProblem } from './json-break.js'
import { problem } from './replies.js'

/**
 * The input of a task from a request's body: JSON text as it came (checked, not written again), bytes, or nothing.
 * @returns a reply instead when the body cannot be an input
 */
export async function readInput(incoming: IncomingMessage, limit: number): Promise<Payload | Response> {
  const declared = Number(incoming.headers['content-length'] ?? 0)
  if (declared > limit) return tooLarge(limit)
  const body = await readBody(incoming, limit)
  if (body === undefined) return tooLarge(limit)
  if (body.length === 0) return undefined
  const kind = kindOf(incoming.headers)
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

/** How a body is to be read, or why it cannot be; without a type it is JSON. */
function kindOf(headers: IncomingHttpHeaders): 'json' | 'bytes' | { refusal: string } {
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

/** @returns undefined when there is more than the limit */
function readBody(incoming: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > limit) {
        incoming.pause()
        resolve(undefined)
      } else chunks.push(chunk)
    })
    incoming.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length)))
    incoming.on('error', reject)
    incoming.on('close', () => {
      if (!incoming.readableEnded) reject(new Error('the client went away'))
    })
  })
}

function tooLarge(limit: number): Response {
  // What the client still sends is not read, so the connection is of no further use.
  return problem(
    413,
    'PAYLOAD_TOO_LARGE',
    `the body is larger than ${limit} bytes; send less, or raise local.bodyLimit`,
    { limit },
    { connection: 'close' },
  )
}
