import { FusionizeError } from '../errors.js'
import type { Outcome, WireError } from '../runtime/protocol.js'

/** A reply of the gateway's own making: `{ error: { code, message, … } }`. */
export function problem(
  status: number,
  code: string,
  message: string,
  details: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Response {
  return Response.json({ error: { code, message, ...details } }, { status, headers })
}

/** An invocation's result as a reply: the task's JSON or bytes as they came, its error with the status that fits. */
export function replyTo(
  result: Outcome & { session: string },
  dev: boolean,
  more: { traceparent?: string } = {},
): Response {
  const headers: Record<string, string> = { 'x-fusionize-session': result.session, ...more }
  if (!result.ok) return errorReply(result.error, dev, headers)
  const { output } = result
  if (output === undefined) return new Response(null, { status: 204, headers })
  headers['content-type'] = typeof output === 'string' ? 'application/json' : 'application/octet-stream'
  return new Response(output as string | Uint8Array<ArrayBuffer>, { headers })
}

/** Statuses of fusionize's own errors. */
const statuses: Record<string, number> = {
  INVALID_INPUT: 400,
  UNKNOWN_TASK: 404,
  PAYLOAD_TOO_LARGE: 413,
  QUEUE_FULL: 429,
  CANCELLED: 499,
  SANDBOX_CRASHED: 502,
  OUT_OF_MEMORY: 502,
  SHUTTING_DOWN: 503,
  JOURNAL_FAILED: 503,
  TIMEOUT: 504,
}

/** An error as a reply: fusionize's own with its status, a task's own with 500. */
export function errorReply(wire: WireError, dev: boolean, headers: Record<string, string> = {}): Response {
  const stack = dev && wire.stack !== undefined ? { stack: wire.stack } : {}
  const status = wire.name === 'FusionizeError' ? statuses[String(wire.code)] : undefined
  if (status === undefined)
    return problem(500, String(wire.code ?? 'TASK_FAILED'), wire.message, { name: wire.name, ...stack }, headers)
  const { details = {} } = (wire.props === undefined ? {} : JSON.parse(wire.props)) as {
    details?: Record<string, unknown>
  }
  return ownError(status, String(wire.code), wire.message, { ...details, ...stack }, headers)
}

/** What went wrong in the gateway's own work. */
export function failure(error: unknown, headers: Record<string, string> = {}): Response {
  if (error instanceof FusionizeError)
    return ownError(statuses[error.code] ?? 500, error.code, error.message, error.details ?? {}, headers)
  return problem(500, 'GATEWAY_FAILED', error instanceof Error ? error.message : String(error), {}, headers)
}

function ownError(
  status: number,
  code: string,
  message: string,
  details: Record<string, unknown>,
  headers: Record<string, string>,
): Response {
  const { retryAfterMs } = details
  const retry: Record<string, string> =
    typeof retryAfterMs === 'number' ? { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } : {}
  return problem(status, code, message, details, { ...headers, ...retry })
}
