import { FusionizeError } from 'fusionize'
import { errorFromWire, type Outcome, type Payload } from 'fusionize/runtime'
import { WARM } from './ahead.js'
import type { Buckets, TimeMessage } from './buckets/index.js'
import { answerTimes, isTimes } from './buckets/times.js'
import type { LambdaContext, LambdaHandler } from './context.js'
import { ENVELOPE_VERSION, type Envelope } from './envelope.js'
import { answerHttp, type HttpRoute, isByUrl, isHttpEvent, wholeAnswer } from './http-event.js'
import { newId } from './ids.js'
import type { Work } from './invocations.js'
import type { SessionRun } from './session-run.js'
import { answerBatch, isSqsEvent, type SqsEvent } from './sqs-event.js'

export interface EntryPorts {
  /** Its own task has the same name. */
  function: string
  http: readonly HttpRoute[]
  /** Requests by a Function URL are answered by a `Response`, to be streamed. */
  streaming: boolean | undefined
  run: SessionRun
  serve(envelope: Envelope, context: LambdaContext): Promise<unknown>
  /** Its environment was started ahead of need. */
  warmed(): void
  /** Hands on what dead sandboxes left. @returns how much */
  sweep(): Promise<number>
  buckets: Buckets | undefined
  /** Tells why a message of a queue could not be taken. */
  complain(session: string, message: string): void
}

/**
 * @returns what knows which event is what: other functions of the app (envelopes), a start ahead, the sweep, a flush, a time, requests over HTTP (Function URL, API
 * Gateway), batches of SQS, and anything else as the input of the function's own task
 */
export function entries({
  function: own,
  http,
  streaming,
  run,
  serve,
  warmed,
  sweep,
  buckets,
  complain,
}: EntryPorts): LambdaHandler {
  /** What came from outside, for a task of this function. */
  async function outside(task: string, input: Payload, context: LambdaContext, more: Partial<Work> = {}) {
    const session = more.session ?? newId()
    const trace = { trace: newId(), parent: null }
    const deadline = Number.MAX_SAFE_INTEGER
    const origin = { id: newId(), task, input, external: true, attempt: 1, deadline, ...trace }
    const work: Work = { ...origin, mode: 'call', ...more, session }
    const outcome = await run(work, { kind: 'root', sent: work.mode === 'send' }, context)
    return { ...outcome, session }
  }

  function batch(event: SqsEvent, context: LambdaContext) {
    return answerBatch(
      event,
      async ({ id, input, attempt }) => {
        const work = { id, session: id }
        const isOver = async () => (await buckets?.isOver(work, { kind: 'root', sent: true })) === true
        const run = async () => (await outside(own, input, context, { ...work, mode: 'send', attempt })).ok
        const ok = (await isOver()) || (await run()) || (await isOver())
        // What fails comes again.
        await (ok ? buckets?.over(work) : buckets?.leave(work))
        return ok
      },
      complain,
    )
  }

  return async (event, context) => {
    const { fusionize: kind } = (event ?? {}) as { fusionize?: unknown }
    if (kind === ENVELOPE_VERSION) return serve(event as Envelope, context)
    if (kind === WARM.fusionize) return warmed()
    if (kind === 'sweep') return { handed: await sweep() }
    if (kind === 'flush' && buckets) return { fired: await buckets.flush() }
    if (kind === 'time' && buckets) return buckets.time(event as TimeMessage)
    if (kind !== undefined) throw unknownKind(own, kind)
    if (isHttpEvent(event)) {
      const response = await answerHttp(event, http, (task, input, traceparent) =>
        outside(task, input, context, traceOf(traceparent)),
      )
      return streaming && isByUrl(event) ? response : wholeAnswer(response)
    }
    if (isSqsEvent(event))
      return buckets && isTimes(event) ? answerTimes(event, (message) => buckets.time(message)) : batch(event, context)
    return plainOf(await outside(own, event === undefined ? undefined : JSON.stringify(event), context))
  }
}

/** The output as Lambda answers it to whoever knows nothing of envelopes. @throws the error */
function plainOf(outcome: Outcome): unknown {
  if (!outcome.ok) throw errorFromWire(outcome.error)
  const { output } = outcome
  if (typeof output === 'string') return JSON.parse(output)
  return output === undefined ? null : { base64: Buffer.from(output).toString('base64') }
}

function traceOf(traceparent: string | undefined): Pick<Work, 'trace' | 'parent'> | undefined {
  const [, trace, parent] = traceparent?.split('-') ?? []
  return trace !== undefined && parent !== undefined ? { trace, parent } : undefined
}

function unknownKind(fn: string, kind: unknown): FusionizeError {
  return new FusionizeError(
    'UNSUPPORTED',
    `function '${fn}' understands envelopes of version ${ENVELOPE_VERSION}, not ${JSON.stringify(kind)}; deploy all of the app with one version of fusionize`,
  )
}
