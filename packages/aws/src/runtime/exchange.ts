import type * as http from 'node:http'
import type * as https from 'node:https'

export interface Exchanged {
  status: number
  headers: http.IncomingHttpHeaders
  body: Buffer
}

/**
 * One request over HTTP, and the whole of its answer.
 * @param begun called with the request, which may be destroyed
 */
export function exchange(
  client: Pick<typeof http | typeof https, 'request'>,
  options: http.RequestOptions & { headers: Record<string, string> },
  body: string | Uint8Array,
  begun?: (request: http.ClientRequest) => void,
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const headers = { ...options.headers, 'content-length': Buffer.byteLength(body) }
    const request = client.request({ ...options, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
    request.on('error', reject)
    begun?.(request)
    request.end(body)
  })
}
