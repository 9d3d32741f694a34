import { randomBytes, randomUUID } from 'node:crypto'
import { type Call, json, type Reply } from '../gateway/call.js'
import { AwsError } from '../gateway/error.js'
import type { Finished, Outcome } from '../sandbox/environment.js'
import { LARGEST_RESPONSE } from '../sandbox/runtime-api.js'
import { BrokenAnswer, type StreamedAnswer } from '../sandbox/streamed-answer.js'
import type { AsyncQueue } from './async-queue.js'
import { conflict } from './model.js'
import type { Places } from './places.js'
import type { Execution, Pool } from './pool.js'

/** Largest payload of a synchronous invocation, bytes. */
export const LARGEST_SYNC = 6 * 1024 * 1024
/** Largest payload of an asynchronous invocation, bytes. */
export const LARGEST_ASYNC = 1024 * 1024
/** Bytes of a log's end that an answer carries. */
const LOG_TAIL = 4096

/** What one invocation came to. */
export interface Invoked extends Finished {
  version: string
  log: Promise<string>
}

export interface Invocation {
  name: string
  qualifier: string | undefined
  payload: Buffer
  requestId: string
  traceId: string
  clientContext?: string
}

/** Runs what an invocation's name and qualifier lead to now. */
export class Invoker {
  readonly #places: Places
  readonly #pool: Pool

  constructor(places: Places, pool: Pool) {
    this.#places = places
    this.#pool = pool
  }

  /** Runs it to the end of its answer, also of one that is streamed. @throws AwsError as `begin` does. */
  async invoke(invocation: Invocation): Promise<Invoked> {
    const { outcome, ...execution } = await this.begin(invocation)
    return { ...(await finished(outcome)), ...execution }
  }

  /** Runs it until it answers. @throws AwsError where there is no such function, it is not active yet, or concurrency is used up. */
  async begin({ name, qualifier, ...event }: Invocation): Promise<Execution> {
    const fn = this.#places.find(name)
    const configuration = this.#places.chosen(fn, qualifier)
    if (configuration.State === 'Pending')
      throw conflict(
        'The operation cannot be performed at this time. The function is currently in the following state: Pending',
      )
    return this.#pool.execute(fn, configuration, { ...event, arn: this.#places.arnOf(name, qualifier) })
  }
}

/** The Invoke operation. Not imitated: tenants, durable executions, the deprecated InvokeAsync, InvokeWithResponseStream. */
export async function invokeOperation(
  call: Call,
  nameOrArn: string,
  parts: { places: Places; invoker: Invoker; queue: AsyncQueue },
): Promise<Reply> {
  const { places, invoker, queue } = parts
  const { name, qualifier } = places.parse(nameOrArn, call.query.get('Qualifier'))
  // Found before anything is accepted.
  const fn = places.find(name)
  places.configuration(fn, qualifier)
  const type = String(call.headers['x-amz-invocation-type'] ?? 'RequestResponse')
  checkPayload(call.body, type)
  if (type === 'DryRun') return { status: 204, headers: { 'x-amz-executed-version': '$LATEST' } }
  const invocation: Invocation = {
    name,
    qualifier,
    payload: call.body.length === 0 ? Buffer.from('{}') : call.body,
    requestId: randomUUID(),
    traceId: String(call.headers['x-amzn-trace-id'] ?? newTraceId()),
    ...clientContextOf(call),
  }
  if (type === 'Event') {
    queue.accept(invocation)
    return { status: 202, headers: { 'x-amzn-requestid': invocation.requestId } }
  }
  const { payload, isError, version, log } = await invoker.invoke(invocation)
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'x-amzn-requestid': invocation.requestId,
    'x-amz-executed-version': version,
    'x-amzn-trace-id': invocation.traceId,
  }
  if (isError) headers['x-amz-function-error'] = 'Unhandled'
  if (call.headers['x-amz-log-type'] === 'Tail')
    headers['x-amz-log-result'] = Buffer.from(await log)
      .subarray(-LOG_TAIL)
      .toString('base64')
  return { ...json(200, undefined, headers), body: payload }
}

/** Of a streamed answer all that is allowed of one; that what breaks it off is the invocation's error is from memory. */
async function finished(outcome: Outcome): Promise<Finished> {
  if (!('chunks' in outcome)) return outcome
  try {
    return await collected(outcome)
  } catch (error) {
    if (error instanceof BrokenAnswer) return { payload: error.payload, isError: true }
    throw error
  }
}

async function collected({ chunks }: StreamedAnswer): Promise<Finished> {
  const kept: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes <= LARGEST_RESPONSE) kept.push(chunk)
  }
  if (bytes <= LARGEST_RESPONSE) return { payload: Buffer.concat(kept), isError: false }
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${LARGEST_RESPONSE} bytes).`
  const error = { errorType: 'Function.ResponseSizeTooLarge', errorMessage }
  return { payload: Buffer.from(JSON.stringify(error)), isError: true }
}

export function newTraceId(): string {
  const time = Math.floor(Date.now() / 1000).toString(16)
  return `Root=1-${time}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`
}

function checkPayload(payload: Buffer, type: string): void {
  const limit = type === 'Event' ? LARGEST_ASYNC : LARGEST_SYNC
  if (payload.length > limit)
    throw new AwsError(
      'RequestTooLargeException',
      413,
      `Request must be smaller than ${limit} bytes for the InvokeFunction operation`,
    )
  if (payload.length === 0) return
  try {
    JSON.parse(payload.toString('utf8'))
  } catch (error) {
    throw new AwsError(
      'InvalidRequestContentException',
      400,
      `Could not parse request body into json: ${String(error)}`,
    )
  }
}

function clientContextOf({ headers }: Call): { clientContext?: string } {
  const encoded = headers['x-amz-client-context']
  return encoded === undefined ? {} : { clientContext: Buffer.from(String(encoded), 'base64').toString('utf8') }
}
