import type { IncomingHttpHeaders } from 'node:http'
import type { Principal } from '../iam/principals.js'

/** Services that the double answers for, by the name that a signature's scope has. */
export const services = ['lambda', 'iam', 'logs', 'scheduler', 'sts', 's3', 'sqs', 'dynamodb'] as const
export type Service = (typeof services)[number]

/** One request to a service, after its signature was found good. */
export interface Call {
  service: Service
  operation: string
  method: string
  /** As on the wire, still encoded. */
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: Buffer
  /** The request's target as on the wire. */
  url: string
  principal: Principal
}

export interface Reply {
  status: number
  headers?: Record<string, string>
  body?: string | Buffer
}

/** What answers for a service. */
export interface ServiceDouble {
  /** Name of the operation that a request asks for. */
  operationOf(request: Omit<Call, 'operation' | 'principal' | 'service'>): string
  /** ARNs of what the call touches, as a policy would name them. */
  /** The role that a call hands to a service of AWS, if it does. */
  passedRoleOf?(call: Call): { arn: string; to: string } | undefined
  resourcesOf(call: Call): string[]
  /** What conditions of a policy may ask for, by key. */
  contextOf?(call: Call): Record<string, readonly string[]>
  handle(call: Call): Reply | Promise<Reply>
}

export function json(status: number, body?: unknown, headers: Record<string, string> = {}): Reply {
  if (body === undefined) return { status, headers }
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

export function bodyOf<T>(call: { body: Buffer }): T {
  return (call.body.length === 0 ? {} : JSON.parse(call.body.toString('utf8'))) as T
}
