import { connect as connectSocket } from 'node:net'
import type { InvokeOptions, InvokeResult } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { errorToWire, type Payload } from 'fusionize/runtime'
import { MAX_NAME, VERSION } from './frames.js'
import { cancelled, Line, lost } from './line.js'

export type { InvokeOptions, InvokeResult, Payload }

/** Ms in which a platform says hello. */
const HELLO_MS = 5000

/** A connection to a platform on this machine, over the socket that its option `local.socket` opens. */
export interface Client {
  /**
   * Runs a task and resolves with its result; errors are results, too. Any number of requests may be under way; answers come as they are
   * ready. When `signal` aborts, nobody waits for the task any more.
   */
  invoke(task: string, input: Payload, options?: InvokeOptions): Promise<InvokeResult>
  /** Ends the connection; requests under way are cancelled. */
  close(): Promise<void>
}

/**
 * Connects to the platform whose socket is at `path`.
 * @throws {FusionizeError} `INVALID_CONFIG`: nothing listens there, or what does is no platform
 */
export async function connect(path: string): Promise<Client> {
  const socket = connectSocket(path)
  socket.setTimeout(HELLO_MS, () => socket.destroy(new Error('it does not say hello')))
  const line = new Line(socket)
  const hello = await line.hello
  if (hello === undefined) throw noPlatform(path, line.ended?.message)
  socket.setTimeout(0)
  if (hello.id === VERSION) return new SocketClient(line, hello.number)
  await line.close()
  throw noPlatform(path, `it speaks version ${hello.id}, and this client ${VERSION}`)
}

class SocketClient implements Client {
  constructor(
    readonly line: Line,
    /** Bytes of the largest payload that the platform takes. */
    readonly limit: number,
  ) {}

  invoke(task: string, input: Payload, options: InvokeOptions = {}): Promise<InvokeResult> {
    const { session = '', timeoutMs = 0, traceparent = '', signal } = options
    const refusal = this.#refusal(task, input, options)
    if (refusal !== undefined) return Promise.resolve({ ok: false, error: errorToWire(refusal), session })
    const { line } = this
    return new Promise((resolve) => {
      if (signal === undefined) {
        line.ask(task, input, session, timeoutMs, traceparent, resolve)
        return
      }
      const id = line.ask(task, input, session, timeoutMs, traceparent, (result) => {
        signal.removeEventListener('abort', abort)
        resolve(result)
      })
      const abort = () => line.cancel(id, task)
      signal.addEventListener('abort', abort)
    })
  }

  close(): Promise<void> {
    return this.line.close()
  }

  #refusal(task: string, input: Payload, { session, signal, timeoutMs }: InvokeOptions): FusionizeError | undefined {
    if (signal?.aborted) return cancelled(task)
    if (this.line.ended) return lost(this.line.ended)
    if (isLonger(task, MAX_NAME) || isLonger(session, MAX_NAME))
      return new FusionizeError('INVALID_INPUT', `names of tasks and sessions have at most ${MAX_NAME} bytes`)
    if (timeoutMs !== undefined && !(timeoutMs >= 1 && timeoutMs < 2 ** 32))
      return new FusionizeError('INVALID_INPUT', `timeoutMs is ${timeoutMs}; it must be from 1 to ${2 ** 32 - 1}`)
    const { limit } = this
    if (!isLonger(input, limit)) return undefined
    return new FusionizeError(
      'PAYLOAD_TOO_LARGE',
      `the input of task '${task}' is larger than ${limit} bytes; send less, or raise local.bodyLimit`,
      { limit },
    )
  }
}

/** Counts bytes only where there might be too many. */
function isLonger(payload: Payload, limit: number): boolean {
  if (typeof payload === 'string') return payload.length * 3 > limit && Buffer.byteLength(payload) > limit
  return payload !== undefined && payload.length > limit
}

function noPlatform(path: string, why = 'it ended the connection'): FusionizeError {
  return new FusionizeError(
    'INVALID_CONFIG',
    `no platform answers at the socket ${path}: ${why}; start one with the option local.socket, and connect to its path`,
  )
}
