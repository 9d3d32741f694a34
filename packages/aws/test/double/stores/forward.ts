import { request as httpRequest } from 'node:http'
import type { Call, Reply } from '../gateway/call.js'

/** Sends a call on to the server that stands for its service. */
export function forward(call: Pick<Call, 'method' | 'url' | 'headers' | 'body'>, target: string): Promise<Reply> {
  const { hostname, port } = new URL(target)
  const { connection: _, ...headers } = call.headers
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        hostname,
        port,
        method: call.method,
        path: call.url,
        headers: { ...headers, 'content-length': call.body.length },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.once('error', reject)
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 500, headers: kept(response.headers), body: Buffer.concat(chunks) }),
        )
      },
    )
    request.once('error', reject)
    request.end(call.body)
  })
}

function kept(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const own = ['connection', 'keep-alive', 'transfer-encoding', 'content-length']
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !own.includes(name))
      .map(([name, value]) => [name, String(value)]),
  )
}
