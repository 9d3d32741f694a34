import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chunksOf, isStreamed, type StreamedAnswer } from './streamed-answer.js'

/** Largest answer of a function, bytes: 6 MB and 100 bytes. */
export const LARGEST_RESPONSE = 6 * 1024 * 1024 + 100

/** One event for a function, as the Runtime API hands it over. */
export interface Event {
  requestId: string
  payload: Buffer
  /** Epoch ms at which the invocation is ended. */
  deadlineMs: number
  arn: string
  traceId: string
  clientContext?: string
}

/** What the runtime said of an invocation. */
export type Answer = { ok: true; payload: Buffer } | { ok: false; payload: Buffer } | StreamedAnswer

export interface RuntimeListener {
  /** The runtime answered the present event. */
  onAnswer(answer: Answer): void
  onInitError(payload: Buffer): void
  /** The runtime and every extension ask for the next event. */
  onQuiet(): void
}

interface Extension {
  name: string
  events: Set<string>
  waiting?: ServerResponse
}

/**
 * The Runtime API and the Extensions API of one execution environment.
 * Not imitated: external extensions (processes in `/opt/extensions`) and with them SHUTDOWN, the Telemetry API, SnapStart's restore
 * calls, how fast a streamed answer may come (2 MB/s after the first 6 MB).
 */
export class RuntimeApi {
  readonly #server: Server
  readonly #listener: RuntimeListener
  readonly #functionInfo: Record<string, string>
  readonly #extensions = new Map<string, Extension>()
  #runtime: ServerResponse | undefined
  #current: { event: Event; isAnswered: boolean } | undefined
  #isInitialized = false

  constructor(
    listener: RuntimeListener,
    functionInfo: { functionName: string; functionVersion: string; handler: string },
  ) {
    this.#listener = listener
    this.#functionInfo = functionInfo
    this.#server = createServer((request, response) => void this.#serve(request, response))
    // A frozen environment keeps its connections for as long as it lives.
    this.#server.keepAliveTimeout = 0
    this.#server.requestTimeout = 0
    this.#server.headersTimeout = 0
  }

  /** Starts to listen; resolves with `host:port`. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.#server.unref()
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** Hands an event to the runtime and to the extensions that asked for INVOKE; the environment must be quiet. */
  deliver(event: Event): void {
    this.#isInitialized = true
    this.#current = { event, isAnswered: false }
    const runtime = this.#runtime
    this.#runtime = undefined
    for (const extension of this.#extensions.values()) {
      if (!extension.events.has('INVOKE')) continue
      const { waiting } = extension
      delete extension.waiting
      if (waiting) sendJson(waiting, 200, invokeEvent(event))
    }
    runtime?.writeHead(200, {
      'content-type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': event.requestId,
      'Lambda-Runtime-Deadline-Ms': String(event.deadlineMs),
      'Lambda-Runtime-Invoked-Function-Arn': event.arn,
      'Lambda-Runtime-Trace-Id': event.traceId,
      ...(event.clientContext ? { 'Lambda-Runtime-Client-Context': event.clientContext } : {}),
    })
    runtime?.end(event.payload)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    const answered = path.match(/^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/)
    if (path === '/2018-06-01/runtime/invocation/next') return this.#next(response)
    if (path === '/2020-01-01/extension/event/next') return this.#extensionNext(request, response)
    if (answered?.[2] === 'response' && isStreamed(request))
      return this.#answerStreamed(answered[1] ?? '', request, response)
    const body = await bodyOf(request)
    if (answered) return this.#answer(answered[1] ?? '', answered[2] === 'response', body, response)
    if (path === '/2018-06-01/runtime/init/error') {
      sendJson(response, 202, { status: 'OK' })
      return this.#listener.onInitError(body)
    }
    if (path === '/2020-01-01/extension/register') return this.#register(request, body, response)
    if (/^\/2020-01-01\/extension\/(init|exit)\/error$/.test(path)) return sendJson(response, 202, { status: 'OK' })
    sendError(response, 404, 'InvalidPath', `The Runtime API has no ${path}`)
  }

  #next(response: ServerResponse): void {
    this.#runtime = response
    this.#settle()
  }

  #extensionNext(request: IncomingMessage, response: ServerResponse) {
    const extension = this.#extensions.get(String(request.headers['lambda-extension-identifier']))
    if (!extension) return sendError(response, 403, 'Extension.InvalidExtensionIdentifier', 'Unknown extension')
    extension.waiting = response
    this.#settle()
  }

  #settle(): void {
    const isQuiet = this.#runtime && [...this.#extensions.values()].every(({ waiting }) => waiting)
    if (isQuiet) this.#listener.onQuiet()
  }

  /** Whether the present event is the request's, and was not answered; it is from now on. */
  #takes(requestId: string, response: ServerResponse): boolean {
    const current = this.#current
    if (current?.event.requestId === requestId && !current.isAnswered) {
      current.isAnswered = true
      return true
    }
    sendError(response, 400, 'InvalidRequestID', 'Invalid request ID')
    return false
  }

  #answerStreamed(requestId: string, request: IncomingMessage, response: ServerResponse) {
    if (!this.#takes(requestId, response)) return
    const contentType = request.headers['content-type'] ?? 'application/octet-stream'
    const chunks = chunksOf(request, (isTooLarge) => {
      if (isTooLarge) sendError(response, 413, 'RequestEntityTooLarge', 'The streamed answer is too large')
      else sendJson(response, 202, { status: 'OK' })
    })
    this.#listener.onAnswer({ contentType, chunks })
  }

  #answer(requestId: string, ok: boolean, body: Buffer, response: ServerResponse) {
    if (!this.#takes(requestId, response)) return
    if (body.length > LARGEST_RESPONSE) {
      const message = `Response payload size exceeded maximum allowed payload size (${LARGEST_RESPONSE} bytes).`
      sendError(response, 413, 'RequestEntityTooLarge', message)
      const payload = { errorType: 'Function.ResponseSizeTooLarge', errorMessage: message }
      return this.#listener.onAnswer({ ok: false, payload: Buffer.from(JSON.stringify(payload)) })
    }
    sendJson(response, 202, { status: 'OK' })
    this.#listener.onAnswer({ ok, payload: body })
  }

  #register(request: IncomingMessage, body: Buffer, response: ServerResponse) {
    const name = String(request.headers['lambda-extension-name'] ?? '')
    const { events = [] } = JSON.parse(body.toString('utf8') || '{}') as { events?: string[] }
    if (this.#isInitialized) return sendError(response, 403, 'Extension.RegistrationFailed', 'Initialization is over')
    if (events.includes('SHUTDOWN'))
      return sendError(
        response,
        403,
        'ShutdownEventNotSupportedForInternalExtension',
        'Internal extensions get INVOKE only',
      )
    if (name === '' || [...this.#extensions.values()].some((x) => x.name === name))
      return sendError(response, 403, 'Extension.AlreadyRegistered', `Extension '${name}' is registered already`)
    const id = randomUUID()
    this.#extensions.set(id, { name, events: new Set(events) })
    sendJson(response, 200, this.#functionInfo, { 'Lambda-Extension-Identifier': id })
  }
}

function invokeEvent(event: Event): unknown {
  return {
    eventType: 'INVOKE',
    deadlineMs: event.deadlineMs,
    requestId: event.requestId,
    invokedFunctionArn: event.arn,
    tracing: { type: 'X-Amzn-Trace-Id', value: event.traceId },
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

function sendError(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  sendJson(response, status, { errorType, errorMessage })
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
