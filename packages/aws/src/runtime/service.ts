import * as http from 'node:http'
import * as https from 'node:https'
import { type Exchanged, exchange } from './exchange.js'
import { encode, queryText, sign } from './sign.js'

export interface ServiceRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Segments of the path, not encoded. */
  path: readonly string[]
  query?: Record<string, string>
  /** Names in lower case. */
  headers?: Record<string, string>
  body?: string | Uint8Array | undefined
  /** Epoch ms after which nobody waits for the answer: no further attempt, and one that is under way ends. */
  deadline: number
  signal?: AbortSignal | undefined
}

/** A service of AWS, asked by signed HTTPS over connections that stay open. */
export interface Service {
  /**
   * Asks, again while the service says to come back later (429, 5xx) or the connection breaks, as long as there is time.
   * @returns the last answer, whatever its status
   * @throws when there is no answer
   */
  ask(request: ServiceRequest): Promise<Exchanged>
}

/** First pause before another attempt, ms; doubles each time, with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog). */
const PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000
const MOST_ATTEMPTS = 8

/**
 * @param name in host names and signatures: `lambda`, `s3`, `dynamodb`…
 * @param env the function's environment: region, credentials, and `AWS_ENDPOINT_URL_<NAME>` or `AWS_ENDPOINT_URL` instead of AWS's own hosts
 */
export function service(name: string, env: NodeJS.ProcessEnv = process.env): Service {
  const region = env.AWS_REGION ?? 'us-east-1'
  const given = env[`AWS_ENDPOINT_URL_${name.toUpperCase()}`] ?? env.AWS_ENDPOINT_URL
  const endpoint = new URL(given ?? `https://${name}.${region}.${suffixOf(region)}`)
  const client = endpoint.protocol === 'http:' ? http : https
  const agent = new client.Agent({ keepAlive: true, maxSockets: 256 })

  function once({ method, path, query = {}, headers = {}, body = '', signal }: ServiceRequest, timeoutMs: number) {
    const encoded = `${endpoint.pathname.replace(/\/$/, '')}/${path.map(encode).join('/')}`
    const signed = sign(
      { method, host: endpoint.host, path: encoded, query, headers, body, service: name, region, now: Date.now() },
      // Read for each request: what they are may change while the sandbox lives.
      {
        accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
        secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
        sessionToken: env.AWS_SESSION_TOKEN,
      },
    )
    const asked = queryText(query)
    const { hostname, port } = endpoint
    const options = { method, hostname, port, path: asked === '' ? encoded : `${encoded}?${asked}`, agent }
    let over = () => {}
    return exchange(client, { ...options, headers: signed }, body, (request) => {
      const timer = setTimeout(() => request.destroy(new Error('no answer in time')), timeoutMs)
      const stop = () => request.destroy(new Error('nobody waits'))
      signal?.addEventListener('abort', stop)
      over = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', stop)
      }
    }).finally(() => over())
  }

  return {
    async ask(request) {
      let answer: Exchanged | undefined
      for (let attempt = 1; ; attempt++) {
        const leftMs = request.deadline - Date.now()
        const pauseMs = Math.random() * Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** attempt)
        const last = attempt >= MOST_ATTEMPTS || pauseMs >= leftMs
        try {
          answer = await once(request, Math.max(1, Math.min(leftMs, 2 ** 31 - 1)))
          if (last || !isTransient(answer.status)) return answer
        } catch (error) {
          if (answer && Date.now() >= request.deadline) return answer
          if (last || request.signal?.aborted || Date.now() >= request.deadline) throw error
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    },
  }
}

/** Asks a service that takes JSON for an operation ("AWS JSON 1.0 protocol", Smithy). @param target as in `DynamoDB_20120810.GetItem` */
export function askJson(service: Service, target: string, body: object, deadline: number): Promise<Exchanged> {
  return service.ask({
    method: 'POST',
    path: [],
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target },
    body: JSON.stringify(body),
    deadline,
  })
}

function isTransient(status: number): boolean {
  return status === 429 || status >= 500
}

function suffixOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
}
