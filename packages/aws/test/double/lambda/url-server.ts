import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AwsError } from '../gateway/error.js'
import { authenticate } from '../gateway/signature.js'
import { mayCall } from '../iam/authorize.js'
import type { Principals } from '../iam/principals.js'
import type { RoleStore } from '../iam/roles.js'
import type { Outcome } from '../sandbox/environment.js'
import { type HttpStream, httpStreamOf } from './http-stream.js'
import { type Invoker, LARGEST_SYNC, newTraceId } from './invoke.js'
import { isPublicByUrl } from './permissions.js'
import type { Places } from './places.js'
import { eventOf, replyOf } from './url-event.js'

export interface UrlParts {
  places: Places
  invoker: Invoker
  principals: Principals
  roles: RoleStore
  region: string
  now(): Date
}

/**
 * The address of one function URL. Not imitated: CORS, HTTPS, a host name that leads to it. From memory: where answers are streamed and the function
 * gave one that is not, that is the content, as it is.
 */
export class UrlServer {
  authType: string
  /** Answers go on as they come (`RESPONSE_STREAM`). */
  isStreaming = false
  readonly #server: Server
  readonly #parts: UrlParts
  readonly #name: string
  readonly #qualifier: string | undefined
  readonly #domainName: string

  constructor(parts: UrlParts, name: string, qualifier: string | undefined, authType: string) {
    this.#parts = parts
    this.#name = name
    this.#qualifier = qualifier
    this.authType = authType
    this.#domainName = `${randomUUID().replaceAll('-', '')}.lambda-url.${parts.region}.on.aws`
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  /** Starts to listen; resolves with the URL. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.#server.unref()
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fail = (status: number, message: string, type: string) => {
      response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type })
      response.end(JSON.stringify({ Message: message }))
    }
    try {
      const body = await bodyOf(request)
      if (!this.#mayCall(request, body))
        return fail(
          403,
          'Forbidden. For troubleshooting Function URL authorization issues, see the guide.',
          'AccessDeniedException',
        )
      const payload = Buffer.from(JSON.stringify(eventOf(request, body, this.#domainName, this.#parts.now())))
      if (payload.length > LARGEST_SYNC) return fail(413, 'Request Entity Too Large', 'RequestEntityTooLargeException')
      const requestId = randomUUID()
      const { places, invoker } = this.#parts
      places.find(this.#name)
      const invocation = { name: this.#name, qualifier: this.#qualifier, payload, requestId, traceId: newTraceId() }
      response.setHeader('x-amzn-requestid', requestId)
      if (this.isStreaming) return await stream((await invoker.begin(invocation)).outcome, response)
      const { payload: answer, isError } = await invoker.invoke(invocation)
      const reply = isError ? { status: 502, headers: {}, body: 'Internal Server Error', cookies: [] } : replyOf(answer)
      begin(response, reply)
      response.end(reply.body)
    } catch (error) {
      if (response.headersSent) return void response.destroy()
      if (error instanceof AwsError) return fail(error.status, error.message, error.code)
      fail(502, 'Internal Server Error', 'InternalServerErrorException')
    }
  }

  /** By the function's own policy where nobody is asked who they are, else by the signature and the caller's policies. */
  #mayCall(request: IncomingMessage, body: Buffer): boolean {
    const { places, principals, roles, region } = this.#parts
    const fn = places.functions.get(this.#name)
    if (!fn?.urls.has(this.#qualifier ?? '')) return false
    if (this.authType === 'NONE') return isPublicByUrl(fn, this.#qualifier)
    const { method = 'GET', url = '/', headers } = request
    const { principal } = authenticate({ method, url, headers, body }, principals, region)
    if (principal.kind === 'administrator') return true
    const resource = places.arnOf(this.#name, this.#qualifier)
    return ['InvokeFunctionUrl', 'InvokeFunction'].every(
      (operation) => !mayCall(roles.policiesOf(principal.role), 'lambda', operation, [resource]),
    )
  }
}

function begin(response: ServerResponse, { status, headers, cookies }: Omit<HttpStream, 'chunks'>): void {
  response.writeHead(status, { ...headers, ...(cookies.length > 0 && { 'set-cookie': cookies }) })
}

/** Passes an answer on as it comes; one that breaks off ends the connection. */
async function stream(outcome: Outcome, response: ServerResponse): Promise<void> {
  if ('payload' in outcome) {
    if (outcome.isError) throw new Error('The function failed')
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    return void response.end(outcome.payload)
  }
  const { chunks, ...head } = await httpStreamOf(outcome)
  begin(response, head)
  response.flushHeaders()
  for await (const chunk of chunks) if (!response.destroyed) response.write(chunk)
  response.end()
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
