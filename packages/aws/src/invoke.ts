import { randomBytes } from 'node:crypto'
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import { FusionizeError, timeoutError } from 'fusionize'
import type { Payload } from 'fusionize/runtime'
import type { Answer, Envelope } from './runtime/envelope.js'
import { ENVELOPE_VERSION } from './runtime/envelope.js'
import { answerOf, type Callee, refusal } from './runtime/lambda.js'
import { CALL_BYTES, SEND_BYTES } from './runtime/limits.js'
import type { ObjectStore } from './runtime/object-store.js'
import { seal } from './runtime/seal.js'

/** Ms in which a send must have been taken. */
const SEND_MS = 30_000

/** A request from outside of AWS. */
export interface Request {
  id: string
  session: string
  task: string
  input: Payload
  trace: string
  parent: string | null
}

/**
 * Has a function run a task, and waits.
 * @param timeoutMs for which its caller waits
 * @throws {FusionizeError} of the platform, as a call between functions
 */
export async function invokeFunction(
  lambda: LambdaClient,
  callee: Callee,
  request: Request,
  store: ObjectStore,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const deadline = Date.now() + timeoutMs
  const envelope = { ...(await envelopeOf(request, 'call', CALL_BYTES, store, deadline)), deadline }
  const late = AbortSignal.timeout(timeoutMs)
  const command = commandOf(callee, envelope, 'RequestResponse')
  try {
    const abortSignal = signal ? AbortSignal.any([signal, late]) : late
    const { FunctionError, Payload: answer } = await lambda.send(command, { abortSignal })
    return answerOf(callee, Buffer.from(answer ?? []).toString(), FunctionError !== undefined)
  } catch (error) {
    if (late.aborted) throw timeoutError(request.task, timeoutMs)
    throw refusalOf(callee, error)
  }
}

/** Hands over; resolves once Lambda holds the event. @param envelope one to hand over again, as it is */
export async function sendToFunction(
  lambda: LambdaClient,
  callee: Callee,
  request: Request | Envelope,
  store: ObjectStore,
): Promise<void> {
  const given =
    'fusionize' in request ? request : await envelopeOf(request, 'send', SEND_BYTES, store, Date.now() + SEND_MS)
  try {
    await lambda.send(commandOf(callee, given, 'Event'))
  } catch (error) {
    throw refusalOf(callee, error)
  }
}

export function newId(): string {
  return randomBytes(16).toString('hex')
}

async function envelopeOf(
  { id, session, task, input, trace, parent }: Request,
  mode: 'call' | 'send',
  limit: number,
  store: ObjectStore,
  deadline: number,
): Promise<Envelope> {
  const sealed = await seal(input, limit, store, deadline)
  const head = { fusionize: ENVELOPE_VERSION, id, session, task, mode, external: true } as const
  return { ...head, input: sealed, trace, parent, at: Date.now() }
}

function commandOf({ name, qualifier }: Callee, envelope: Envelope, InvocationType: 'RequestResponse' | 'Event') {
  const Payload = Buffer.from(JSON.stringify(envelope))
  return new InvokeCommand({ FunctionName: name, Qualifier: qualifier, InvocationType, Payload })
}

/** What the SDK throws, in the words of a call between functions. */
function refusalOf(callee: Callee, error: unknown): unknown {
  if (error instanceof FusionizeError) return error
  const { name = '', message = '', $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
  return $metadata?.httpStatusCode === undefined ? error : refusal(callee, $metadata.httpStatusCode, name, message)
}
