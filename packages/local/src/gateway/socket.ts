import { isUtf8 } from 'node:buffer'
import { createServer, type Socket } from 'node:net'
import { FusionizeError } from 'fusionize'
import { jsonProblem } from 'fusionize/http'
import type { Payload } from 'fusionize/runtime'
import { type Frame, frameLength, kinds, MAX_EXTRA, readFrame, VERSION, writeFrame } from '../client/frames.js'
import { wireText } from '../engine/failures.js'
import type { Job } from '../engine/job.js'
import type { BeginCall } from '../outside-calls.js'
import { Cutter } from '../sandbox/cutter.js'
import { type Part, Utf8 } from '../sandbox/messages.js'
import { listenAt } from './socket-file.js'

/** Bytes that may wait for a client to read its answers; until it does, nothing more of it is read. */
const MAX_UNREAD = 1024 * 1024

export interface SocketOptions {
  path: string
  /** Bytes of a payload at most. */
  bodyLimit: number
  begin: BeginCall
  /** Nobody waits for the job any more. */
  abandon(job: Job): void
}

/** The face of the local platform for clients on the same machine: `client/frames.ts` over a unix domain socket. */
export interface SocketEntry {
  readonly path: string
  /** Those who wait are told that the platform ends. */
  close(): Promise<void>
}

/** @throws {FusionizeError} `INVALID_CONFIG`: a platform that lives listens at the path, or there can be no socket */
export async function openSocket(options: SocketOptions): Promise<SocketEntry> {
  const connections = new Set<Connection>()
  const server = createServer((socket) => {
    const connection = new Connection(socket, options)
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  })
  const remove = await listenAt(server, options.path)
  return {
    path: options.path,
    close() {
      remove()
      return new Promise((resolve) => {
        server.close(() => resolve())
        for (const connection of connections) connection.stop()
      })
    },
  }
}

const empty = { number: 0, task: '', session: '', traceparent: '', payload: undefined }

/** One client: its requests by the client's ids, and the answers that are on their way to it. */
class Connection {
  /** Undefined before the job is known. */
  readonly #open = new Map<number, Job | undefined>()
  #answers: Frame[] = []
  #closing = false

  constructor(
    readonly socket: Socket,
    readonly options: SocketOptions,
  ) {
    const cutter = new Cutter(
      (data, start, end) => this.#take(readFrame(data, start, end)),
      (length) => this.#checkLength(length),
    )
    socket.on('data', (chunk: Buffer) => {
      if (this.#closing) return
      try {
        cutter.push(chunk)
      } catch (error) {
        this.#fault(error as Error)
      }
    })
    socket.on('error', () => {})
    socket.on('drain', () => socket.resume())
    socket.on('close', () => this.#abandonAll())
    this.#say({ ...empty, kind: kinds.hello, id: VERSION, number: options.bodyLimit })
  }

  /** The platform ends. */
  stop(): void {
    const error = wireText(new FusionizeError('SHUTTING_DOWN', 'the platform is shutting down'))
    for (const id of this.#open.keys()) this.#say({ ...empty, kind: kinds.error, id, payload: error })
    this.#close()
  }

  #take(frame: Frame): void {
    if (frame.kind === kinds.invoke) this.#invoke(frame)
    else if (frame.kind === kinds.cancel) this.#cancel(frame.id)
    else throw new SyntaxError(`its kind is ${frame.kind}; a client's are ${kinds.invoke} and ${kinds.cancel}`)
  }

  #invoke({ id, task, session, traceparent, number, payload }: Frame): void {
    if (this.#open.has(id))
      throw new SyntaxError(`request ${id} is under way already; ids are free again once answered`)
    const input = inputOf(payload)
    if (input instanceof FusionizeError) {
      this.#say({ ...empty, kind: kinds.error, id, session, payload: wireText(input) })
      return
    }
    this.#open.set(id, undefined)
    const options = {
      session: session === '' ? undefined : session,
      timeoutMs: number === 0 ? undefined : number,
      traceparent,
    }
    const job = this.options.begin(task, input, options, (ok, part, session) => this.#answer(id, ok, part, session))
    if (job !== undefined && this.#open.has(id)) this.#open.set(id, job)
  }

  #cancel(id: number): void {
    const job = this.#open.get(id)
    this.#open.delete(id)
    if (job) this.options.abandon(job)
  }

  #answer(id: number, ok: boolean, payload: Part, session: string): void {
    // Nobody waits for an answer that is not open: it was cancelled.
    if (!this.#open.delete(id)) return
    this.#say({ kind: ok ? kinds.output : kinds.error, id, number: 0, task: '', session, traceparent: '', payload })
  }

  /** Goes out with all else that this turn says: one write, one wake-up of the client. */
  #say(frame: Frame): void {
    if (this.#answers.push(frame) === 1) process.nextTick(this.#flush)
  }

  readonly #flush = (): void => {
    const { socket } = this
    const frames = this.#answers
    this.#answers = []
    if (frames.length === 0 || !socket.writable) return
    let length = 0
    for (const frame of frames) length += frameLength(frame)
    const buffer = Buffer.allocUnsafe(length)
    let at = 0
    for (const frame of frames) at = writeFrame(buffer, at, frame)
    socket.write(buffer)
    if (socket.writableLength > MAX_UNREAD) socket.pause()
  }

  #checkLength(length: number): void {
    const { bodyLimit } = this.options
    if (length <= bodyLimit + MAX_EXTRA) return
    throw new FusionizeError(
      'PAYLOAD_TOO_LARGE',
      `a frame says that it has ${length} bytes, and a payload has at most ${bodyLimit}; send less, or raise local.bodyLimit`,
      { limit: bodyLimit },
    )
  }

  #fault(error: Error): void {
    const why =
      error instanceof FusionizeError
        ? error
        : new FusionizeError('INVALID_INPUT', `a frame cannot be read: ${error.message}; the connection is closed`)
    this.#say({ ...empty, kind: kinds.fault, id: 0, payload: wireText(why) })
    this.#close()
  }

  /** Says what is left to say, and reads nothing more. */
  #close(): void {
    this.#closing = true
    this.#flush()
    this.#abandonAll()
    this.socket.resume()
    this.socket.end(() => this.socket.destroySoon())
  }

  #abandonAll(): void {
    const jobs = [...this.#open.values()]
    this.#open.clear()
    for (const job of jobs) if (job) this.options.abandon(job)
  }
}

/** JSON is checked, as the gateway does: what is none is its client's mistake, not the task's. */
function inputOf(payload: Frame['payload']): Payload | FusionizeError {
  if (!(payload instanceof Utf8)) return payload
  const { bytes } = payload
  const text = (bytes as Buffer).toString()
  const problem = isUtf8(bytes) ? jsonProblem(text) : { message: 'it is not UTF-8' }
  if (problem === undefined) return text
  const { message, ...details } = problem
  return new FusionizeError('INVALID_INPUT', `the input is not JSON: ${message}`, details)
}
