import { inputOfBody, inputOfRequest, problem, replyTo, traceparentOf } from 'fusionize/http'
import type { Outcome, Payload } from 'fusionize/runtime'

/** A request by Function URL or API Gateway HTTP API, payload format 2.0 ("Lambda function URLs", AWS Lambda Developer Guide). */
export interface HttpEvent {
  version: '2.0'
  rawPath: string
  rawQueryString?: string
  headers?: Record<string, string | undefined>
  body?: string
  isBase64Encoded?: boolean
  requestContext: { stage?: string; domainName?: string; http: { method: string } }
}

/** An answer as Lambda takes it whole. */
export interface HttpAnswer {
  statusCode: number
  headers: Record<string, string>
  body?: string
  isBase64Encoded?: boolean
}

/** An entry of the function. */
export interface HttpRoute {
  method: string
  /** Literal segments, `:name` segments, and `/*` at the end. */
  path: string
  task: string
}

export function isHttpEvent(event: unknown): event is HttpEvent {
  const { version, requestContext } = (event ?? {}) as Partial<HttpEvent>
  return version === '2.0' && typeof requestContext?.http?.method === 'string'
}

/** Whether it came by a Function URL, where a function may stream its answer; not through CloudFront's or an API's own names. */
export function isByUrl({ requestContext }: HttpEvent): boolean {
  return requestContext.domainName?.includes('.lambda-url.') ?? false
}

/** Answers a request. @param run has a task run for a client */
export async function answerHttp(
  event: HttpEvent,
  routes: readonly HttpRoute[],
  run: (task: string, input: Payload, traceparent: string | undefined) => Promise<Outcome & { session: string }>,
): Promise<Response> {
  const { method } = event.requestContext.http
  const path = pathOf(event)
  const here = routes.flatMap((route) => {
    const params = matchPath(route.path, path)
    return params ? [{ ...route, params }] : []
  })
  const route = here.find((candidate) => candidate.method === method)
  if (route === undefined) return here.length > 0 ? otherMethod(path, method, here) : nothing(path, method, routes)
  const headers = lowerCase(event.headers ?? {})
  const body = () => inputOfBody(Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'), headers)
  const input = await inputOfRequest(method, route.params, () => queryOf(event.rawQueryString ?? ''), body)
  if (input instanceof Response) return input
  const traceparent = traceparentOf(headers.traceparent)
  const result = await run(route.task, input, traceparent)
  return replyTo(result, false, traceparent === undefined ? {} : { traceparent })
}

/** Of an API's stage other than `$default` the path begins with its name. */
function pathOf({ rawPath, requestContext: { stage = '$default' } }: HttpEvent): string {
  const prefix = `/${stage}`
  return rawPath.startsWith(`${prefix}/`) ? rawPath.slice(prefix.length) : rawPath
}

/** @returns the parameters, when the path is one of the pattern's */
export function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const params: Record<string, string> = {}
  const wanted = pattern.split('/')
  const given = path.split('/')
  const open = wanted.at(-1) === '*'
  if (open ? given.length < wanted.length - 1 : given.length !== wanted.length) return undefined
  for (const [i, segment] of wanted.entries()) {
    if (open && i === wanted.length - 1) break
    const value = decoded(given[i] as string)
    if (segment.startsWith(':')) {
      if (value === '') return undefined
      params[segment.slice(1)] = value
    } else if (segment !== value) return undefined
  }
  return params
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** Of a name that comes twice the first. */
function queryOf(text: string): Record<string, string> {
  const query: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(text)) query[name] ??= value
  return query
}

function otherMethod(path: string, method: string, here: readonly HttpRoute[]): Response {
  const allow = here.map((route) => route.method).join(', ')
  return problem(405, 'METHOD_NOT_ALLOWED', `${path} takes ${allow}, not ${method}`, {}, { allow })
}

function nothing(path: string, method: string, routes: readonly HttpRoute[]): Response {
  const known = routes.map((route) => `${route.method} ${route.path}`).join(', ')
  return problem(404, 'NOT_FOUND', `nothing answers ${method} ${path}; this function answers ${known || 'no requests'}`)
}

/** The reply with its bytes in base64, its text as text. */
export async function wholeAnswer(response: Response): Promise<HttpAnswer> {
  const { head, data } = await partsOf(response)
  if (data.length === 0) return head
  return head.headers['content-type'] === 'application/octet-stream'
    ? { ...head, body: data.toString('base64'), isBase64Encoded: true }
    : { ...head, body: data.toString() }
}

/** What a reply begins with, and its content. */
export async function partsOf(response: Response) {
  const head = { statusCode: response.status, headers: Object.fromEntries(response.headers) }
  return { head, data: Buffer.from(await response.arrayBuffer()) }
}

function lowerCase(headers: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
