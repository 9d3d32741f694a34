import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mayCall, mayPass } from '../iam/authorize.js'
import type { Principals } from '../iam/principals.js'
import type { RoleStore } from '../iam/roles.js'
import type { Call, Reply, Service, ServiceDouble } from './call.js'
import { AwsError } from './error.js'
import type { Faults } from './faults.js'
import { errorReply, refusal } from './protocols.js'
import { authenticate, serviceOf } from './signature.js'

export interface GatewayParts {
  region: string
  principals: Principals
  roles: RoleStore
  faults: Faults
  services: Record<Service, ServiceDouble>
}

/** One request that was answered. */
export interface Answered {
  service: Service
  operation: string
  /** Who called, as an ARN. */
  principal: string
  status: number
  /** Bytes of the request's body. */
  bytes: number
  /** Code of the error that was answered. */
  error?: string
}

/**
 * The one HTTP endpoint of all services: a request's signature says for which it is.
 * Not imitated: TLS, an endpoint for each service, dual-stack, HTTP/2.
 */
export class Gateway {
  readonly calls: Answered[] = []
  readonly #parts: GatewayParts
  readonly #server: Server

  constructor(parts: GatewayParts) {
    this.#parts = parts
    this.#server = createServer((request, response) => void this.#answer(request, response))
    this.#server.requestTimeout = 0
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID()
    const service = serviceOf(request.headers) ?? 'lambda'
    let call: Call | undefined
    let reply: Reply
    let error: string | undefined
    try {
      const body = await bodyOf(request)
      const { method = 'GET', url = '/', headers } = request
      const signed = authenticate({ method, url, headers, body }, this.#parts.principals, this.#parts.region)
      const { pathname: path, searchParams: query } = new URL(url, 'http://localhost')
      const double = this.#parts.services[service]
      const raw = { method, url, path: url.split('?')[0] ?? path, query, headers, body }
      call = { ...raw, service, operation: double.operationOf(raw), principal: signed.principal }
      this.#authorize(call, double)
      const fault = await this.#parts.faults.meet(call)
      if (fault?.kind === 'disconnect' && fault.when === 'before') return void request.socket.destroy()
      reply = await double.handle(call)
      if (fault?.kind === 'disconnect') return void request.socket.destroy()
    } catch (thrown) {
      const awsError = thrown instanceof AwsError ? thrown : unexpected(service, thrown)
      error = awsError.code
      reply = errorReply(service, awsError, requestId)
    }
    if (call)
      this.calls.push({
        service,
        operation: call.operation,
        principal: call.principal.arn,
        status: reply.status,
        bytes: call.body.length,
        ...(error === undefined ? {} : { error }),
      })
    const idHeader = service === 's3' ? 'x-amz-request-id' : 'x-amzn-requestid'
    response.writeHead(reply.status, { [idHeader]: requestId, ...reply.headers })
    response.end(request.method === 'HEAD' ? undefined : reply.body)
  }

  #authorize(call: Call, double: ServiceDouble): void {
    const { principal, service, operation } = call
    if (principal.kind === 'administrator') return
    const policies = this.#parts.roles.policiesOf(principal.role)
    const denied =
      mayCall(policies, service, operation, double.resourcesOf(call), double.contextOf?.(call)) ??
      mayPass(policies, double.passedRoleOf?.(call))
    if (denied)
      throw refusal(
        service,
        'denied',
        `User: ${principal.arn} is not authorized to perform: ${denied.action} on resource: ${denied.resource} ` +
          'because no identity-based policy allows the action',
      )
  }
}

function unexpected(service: Service, thrown: unknown): AwsError {
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  return refusal(service, 'broken', `The double itself failed: ${text}`)
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
