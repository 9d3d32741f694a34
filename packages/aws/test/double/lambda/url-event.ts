import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Reply } from '../gateway/call.js'

/** A request over HTTP as an event of payload format 2.0. @param domainName of the URL, as it has one in AWS */
export function eventOf(request: IncomingMessage, body: Buffer, domainName: string, now: Date): unknown {
  const { pathname, search, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const { cookie, ...rest } = request.headers
  const headers = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, [value].flat().join(',')]))
  const parameters: Record<string, string> = {}
  for (const [name, value] of searchParams)
    parameters[name] = parameters[name] === undefined ? value : `${parameters[name]},${value}`
  const isText = isTextual(headers['content-type'] ?? '', headers['content-encoding'])
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    ...(cookie === undefined ? {} : { cookies: cookie.split(/; */) }),
    headers,
    ...(search === '' ? {} : { queryStringParameters: parameters }),
    requestContext: {
      accountId: 'anonymous',
      apiId: domainName.split('.')[0],
      domainName,
      domainPrefix: domainName.split('.')[0],
      http: {
        method: request.method,
        path: pathname,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: commonLogTime(now),
      timeEpoch: now.getTime(),
    },
    ...(body.length === 0 ? {} : { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  }
}

interface Structured {
  statusCode?: number
  headers?: Record<string, string | number | boolean>
  cookies?: string[]
  body?: unknown
  isBase64Encoded?: boolean
}

/** What a function returned as an answer over HTTP: as it says where it names a status, else 200 with its JSON. */
export function replyOf(payload: Buffer): Reply & { cookies: string[] } {
  const text = payload.toString('utf8')
  const value = parsed(text)
  if (typeof value !== 'object' || value === null || value.statusCode === undefined)
    return { status: 200, headers: { 'content-type': 'application/json' }, body: text, cookies: [] }
  const { statusCode, headers = {}, cookies = [], body = '', isBase64Encoded = false } = value
  const lower = Object.fromEntries(Object.entries(headers).map(([name, v]) => [name.toLowerCase(), String(v)]))
  const content = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    status: statusCode,
    headers: { 'content-type': 'application/json', ...lower },
    body: Buffer.from(content, isBase64Encoded ? 'base64' : 'utf8'),
    cookies,
  }
}

/** Null for what is no JSON: only a streamed answer can be that, and it is the content, as it is (from memory). */
function parsed(text: string): Structured | null {
  try {
    return JSON.parse(text || 'null') as Structured | null
  } catch {
    return null
  }
}

function isTextual(type: string, encoding: string | undefined): boolean {
  if (encoding !== undefined && encoding !== 'identity') return false
  return /^(text\/|application\/(.*\+)?(json|xml|javascript|x-www-form-urlencoded))/.test(type)
}

function commonLogTime(now: Date): string {
  const [, day, month, year, time] = now.toUTCString().split(' ')
  return `${day}/${month}/${year}:${time} +0000`
}
