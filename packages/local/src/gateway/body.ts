import type { IncomingMessage } from 'node:http'
import { inputOfBody, problem } from 'fusionize/http'
import type { Payload } from 'fusionize/runtime'

/**
 * The input of a task from a request's body: JSON text as it came (checked, not written again), bytes, or nothing.
 * @returns a reply instead when the body cannot be an input
 */
export async function readInput(incoming: IncomingMessage, limit: number): Promise<Payload | Response> {
  const declared = Number(incoming.headers['content-length'] ?? 0)
  if (declared > limit) return tooLarge(limit)
  const body = await readBody(incoming, limit)
  if (body === undefined) return tooLarge(limit)
  return inputOfBody(body, incoming.headers)
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
