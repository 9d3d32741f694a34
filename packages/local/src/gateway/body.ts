import type { IncomingMessage } from 'node:http'
import type { Payload } from 'fusionize/runtime'
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
  const type = (incoming.headers['content-type'] ?? 'application/json').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/octet-stream') return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  if (type !== 'application/json' && !type.endsWith('+json'))
    return problem(
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      `cannot read a body of type ${type}; send application/json or application/octet-stream`,
    )
  const text = body.toString()
  try {
    JSON.parse(text)
    return text
  } catch (error) {
    return problem(400, 'MALFORMED_JSON', `the body is not JSON: ${(error as Error).message}`, positionIn(error, text))
  }
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
    incoming.on('close', () => reject(new Error('the client went away')))
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

/** Where the parser stopped, if it says so: for an unexpected token V8 shows the text around it instead. */
function positionIn(error: unknown, text: string): { position?: number } {
  const found = /position (\d+)/.exec((error as Error).message)?.[1]
  if (found !== undefined) return { position: Number(found) }
  return /end of JSON/i.test((error as Error).message) ? { position: text.length } : {}
}
