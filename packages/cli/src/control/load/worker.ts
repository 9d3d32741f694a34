/**
 * The load's client: a process of its own, so that it shares no event loop with the platform it measures. It is given one load,
 * sends samples in batches as they come, and ends. See `generator.ts` for its other side.
 */
import { Agent, request as httpRequest } from 'node:http'
import { clock } from './clock.js'
import { fire, type Reply, type RequestSample } from './fire.js'
import type { FromWorker, LoadOrder, WireRequest } from './generator.js'

const REPORT_EVERY_MS = 100

const stop = new AbortController()
// Ctrl-C reaches the whole foreground group; the parent decides when the load ends.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit(0))
process.on('message', (message: LoadOrder | 'stop') => {
  if (message === 'stop') stop.abort()
  else void run(message)
})

async function run(order: LoadOrder): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, scheduling: 'lifo' })
  const base = new URL(order.url)
  let batch: RequestSample[] = []
  const flush = () => {
    if (batch.length > 0) tell({ samples: batch })
    batch = []
  }
  const reporting = setInterval(flush, REPORT_EVERY_MS)
  const beginEpochMs = Date.now()
  const cpuBefore = process.cpuUsage()
  await fire(order.arrivals, {
    clock,
    send: (index, signal) => send(agent, base, order.requests[index] as WireRequest, order.headers, signal),
    timeoutMs: order.timeoutMs,
    maxInFlight: order.maxInFlight,
    signal: stop.signal,
    onSample: (sample) => batch.push(sample),
  })
  clearInterval(reporting)
  flush()
  agent.destroy()
  const cpu = process.cpuUsage(cpuBefore)
  tell({ done: true, beginEpochMs, cpuMs: (cpu.user + cpu.system) / 1000 })
}

function send(
  agent: Agent,
  base: URL,
  { method, path, body }: WireRequest,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        agent,
        host: base.hostname,
        port: base.port,
        method,
        path,
        signal,
        headers: {
          ...headers,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      },
      (response) => {
        response.on('error', reject)
        response.on('end', () => {
          const session = response.headers['x-fusionize-session']
          resolve({
            status: response.statusCode ?? 0,
            ...(typeof session === 'string' ? { session } : {}),
          })
        })
        response.resume()
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

function tell(message: FromWorker): void {
  process.send?.(message)
}

tell({ ready: true })
