import { type ErrorCode, FusionizeError } from 'fusionize'
import { errorFromWire } from 'fusionize/runtime'
import { type Answer, ENVELOPE_VERSION, type Envelope } from './envelope.js'
import type { Exchanged } from './exchange.js'
import type { Service } from './service.js'

/** A function of the app, as Lambda knows it. */
export interface Callee {
  /** Name of the Lambda function. */
  name: string
  /** Alias or version. */
  qualifier: string
  /** As the app knows it, for messages. */
  function: string
}

/** Ms beyond the deadline in which a callee may still say that its task took too long. */
const GRACE_MS = 1000

/**
 * Asks a function and waits for its answer.
 * @throws {FusionizeError} of the platform: throttled, crashed, out of memory, too slow, not there
 */
export async function call(
  lambda: Service,
  callee: Callee,
  envelope: Envelope & { deadline: number },
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const response = await invoke(lambda, callee, envelope, 'RequestResponse', envelope.deadline + GRACE_MS, signal)
  const failed = response.headers['x-amz-function-error']
  return answerOf(callee, response.body.toString(), failed !== undefined)
}

/**
 * The answer to an envelope, as Lambda gives it.
 * @param failed Lambda says that there is none: the payload says why
 * @throws {FusionizeError} as `call` does
 */
export function answerOf(callee: Callee, payload: string, failed: boolean): Answer {
  const answer = parsed(payload) as Partial<Answer>
  if (failed) throw functionError(callee, payload)
  if (answer.fusionize === ENVELOPE_VERSION) return answer as Answer
  throw new FusionizeError(
    'UNSUPPORTED',
    `function '${callee.function}' (${callee.name}:${callee.qualifier}) answers in another version than ${ENVELOPE_VERSION}; deploy the app again`,
  )
}

/**
 * Hands over; resolves once Lambda holds the event.
 * @param deadline epoch ms until which it is tried
 */
export async function send(lambda: Service, callee: Callee, event: object, deadline: number): Promise<void> {
  await invoke(lambda, callee, event, 'Event', deadline, undefined)
}

async function invoke(
  lambda: Service,
  callee: Callee,
  event: object,
  type: 'RequestResponse' | 'Event',
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<Exchanged> {
  const response = await lambda.ask({
    method: 'POST',
    path: ['2015-03-31', 'functions', callee.name, 'invocations'],
    query: { Qualifier: callee.qualifier },
    headers: { 'content-type': 'application/json', 'x-amz-invocation-type': type },
    body: JSON.stringify(event),
    deadline,
    signal,
  })
  if (response.status < 300) return response
  const [exception = ''] = String(response.headers['x-amzn-errortype'] ?? '').split(':', 1)
  throw refusal(callee, response.status, exception, messageOf(response.body))
}

/**
 * What Lambda's refusal means ("Invoke", AWS Lambda API Reference, Errors).
 * @param type name of its exception
 * @param message what it said
 */
export function refusal(callee: Callee, status: number, type: string, message: string): FusionizeError {
  const said = message || `status ${status}`
  const [code, why] = meaningOf(status, said)
  return new FusionizeError(code, `function '${callee.function}' (${callee.name}:${callee.qualifier}) ${why}`, {
    ...{ function: callee.function, status, type },
    ...(status === 429 && { retryAfterMs: 1000 }),
  })
}

function meaningOf(status: number, said: string): [ErrorCode, string] {
  switch (status) {
    case 429:
      return [
        'QUEUE_FULL',
        `is throttled: ${said}; come back later, or raise the concurrency of the account or the function`,
      ]
    case 404:
      return [
        'UNKNOWN_TASK',
        `is not there: ${said}; a task that is no entry needs an http option to be asked from outside, and what was removed comes back by 'fusionize deploy'`,
      ]
    case 413:
      return ['PAYLOAD_TOO_LARGE', `refused its input: ${said}`]
    case 403:
      return [
        'UNSUPPORTED',
        `may not be called from here: ${said}; its caller's role lacks lambda:InvokeFunction, run 'fusionize deploy' again`,
      ]
    default:
      return ['SANDBOX_CRASHED', `could not be called: ${said}`]
  }
}

/** What the end of a callee without an answer means. */
function functionError({ function: fn, name }: Callee, payload: string): FusionizeError {
  const { errorType = '', errorMessage = payload } = parsed(payload) as { errorType?: string; errorMessage?: string }
  const about = { function: fn, type: errorType }
  const limit = /timed out after ([\d.]+) seconds/.exec(errorMessage)
  const [code, message]: [ErrorCode, string] = limit
    ? ['TIMEOUT', `function '${fn}' was ended after ${limit[1]} s; raise the timeout of its task or make it faster`]
    : /OutOfMemory|signal: killed/.test(`${errorType} ${errorMessage}`)
      ? ['OUT_OF_MEMORY', `function '${fn}' used more than its memory and was ended; give it more memory`]
      : [
          'SANDBOX_CRASHED',
          `the sandbox of function '${fn}' ended while it was working: ${errorMessage}; see the log of ${name}`,
        ]
  return new FusionizeError(code, message, about, {
    cause: errorFromWire({ name: errorType || 'Error', message: errorMessage }),
  })
}

function messageOf(body: Buffer): string {
  const { message, Message } = parsed(body.toString()) as { message?: string; Message?: string }
  return message ?? Message ?? ''
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
