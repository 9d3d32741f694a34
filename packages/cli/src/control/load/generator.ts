import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { FusionizeError } from 'fusionize'
import type { RequestSample } from './fire.js'

/** One HTTP request of a load, made before the load begins. */
export interface WireRequest {
  method: string
  path: string
  /** JSON text. */
  body?: string
}

/** A load: request i is sent `arrivals[i]` ms after the beginning. */
export interface Load {
  /** Where the platform serves entries. */
  url: string
  arrivals: number[]
  requests: WireRequest[]
  /** Sent with each request, e.g. `authorization`. */
  headers?: Record<string, string>
  /** Limit of one request, ms. @default 30000 */
  timeoutMs?: number
  /** Requests under way at most. @default 2000 */
  maxInFlight?: number
}

export const loadDefaults = { timeoutMs: 30_000, maxInFlight: 2000 }

export interface LoadOrder extends Required<Load> {}

export type FromWorker =
  | { ready: true }
  | { samples: RequestSample[] }
  | { done: true; beginEpochMs: number; cpuMs: number }

export interface LoadResult {
  /** In order of the requests' intended starts. */
  samples: RequestSample[]
  /** Epoch ms at which the load began. */
  beginEpochMs: number
  /** CPU ms that the client itself took. */
  clientCpuMs: number
}

export interface RunOptions {
  signal?: AbortSignal
  /** Called with each batch of samples as they come. */
  onSamples?(samples: readonly RequestSample[]): void
}

/**
 * Runs one open-loop load from a process of its own and resolves with a sample for each request.
 * @throws {FusionizeError} CANCELLED when `signal` ended it; UNSUPPORTED when the client process died
 */
export async function runLoad(load: Load, options: RunOptions = {}): Promise<LoadResult> {
  const { signal } = options
  if (signal?.aborted) throw cancelled()
  const order: LoadOrder = { headers: {}, ...loadDefaults, ...load }
  const child = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  })
  let stop = () => {}
  try {
    return await new Promise<LoadResult>((resolve, reject) => {
      stop = () => reject(cancelled())
      const samples: RequestSample[] = []
      child.on('message', (message: FromWorker) => {
        if ('ready' in message) child.send(order)
        else if ('samples' in message) {
          samples.push(...message.samples)
          options.onSamples?.(message.samples)
        } else {
          samples.sort((a, b) => a.index - b.index)
          resolve({ samples, beginEpochMs: message.beginEpochMs, clientCpuMs: message.cpuMs })
        }
      })
      child.on('error', reject)
      child.on('exit', (code, killed) =>
        reject(new FusionizeError('UNSUPPORTED', `the load's client process ended early (${killed ?? code})`)),
      )
      signal?.addEventListener('abort', stop)
    })
  } finally {
    signal?.removeEventListener('abort', stop)
    await end(child)
  }
}

function cancelled(): FusionizeError {
  return new FusionizeError('CANCELLED', 'the load was stopped')
}

/** Closing the channel ends the client (it leaves on `disconnect`). */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  if (child.connected) child.disconnect()
  const kill = setTimeout(() => child.kill('SIGKILL'), 2000)
  await gone
  clearTimeout(kill)
}
