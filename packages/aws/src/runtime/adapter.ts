import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { FusionizeError } from 'fusionize'
import {
  createHandler,
  definitionOf,
  errorFromWire,
  errorToWire,
  type FunctionModule,
  type HeldSend,
  type Outcome,
  type Payload,
} from 'fusionize/runtime'
import type { Evaluator, From, TimeMessage } from './buckets/index.js'
import { answerTimes, isTimes } from './buckets/times.js'
import { calleeOf, functionArn } from './callee.js'
import { type Answer, ENVELOPE_VERSION, type Envelope } from './envelope.js'
import type { Environment } from './environment.js'
import type { Extension } from './extension.js'
import { holdsOf } from './holds.js'
import { answerHttp, isHttpEvent } from './http-event.js'
import { invocations, type Work } from './invocations.js'
import { send } from './lambda.js'
import { CALL_BYTES, LAST_WORDS_MS, SEND_BYTES } from './limits.js'
import { objectStore } from './object-store.js'
import { sendMessage } from './queue.js'
import { attemptsOf, deadLetters } from './retries.js'
import { open, seal } from './seal.js'
import { service } from './service.js'
import { answerBatch, isSqsEvent } from './sqs-event.js'
import { openTable } from './table.js'
import { lambdaTransport, writeLine } from './transport.js'

/** What the adapter uses of Lambda's context object. */
export interface LambdaContext {
  awsRequestId: string
  invokedFunctionArn: string
  getRemainingTimeInMillis(): number
}

export type LambdaHandler = (event: unknown, context: LambdaContext) => Promise<unknown>

/** MB that come with one core. */
const MB_PER_CORE = 1769
/** Ms in which a send must have been handed over. */
const SEND_MS = 30_000
const DEFAULT_RETRIES = 2
/** Ms that an invocation of Lambda has at most, and a little: what it left behind then is left for good. */
const LONGEST_MS = 16 * 60_000

/**
 * The fusion handler of one function behind Lambda's Node runtime: serves other functions of the app (envelopes), requests over HTTP (Function
 * URL, API Gateway), batches of SQS, the sweep of what dead sandboxes left, and anything else as the input of the function's own task.
 * @param extension keeps the sandbox going after a reply; absent: nothing goes on after it
 */
export function createAdapter(
  module: FunctionModule,
  environment: Environment,
  extension: Extension | undefined,
): LambdaHandler {
  const own = module.function
  const lambda = service('lambda')
  const store = objectStore(service('s3'), environment.bucket)
  const table = openTable(service('dynamodb'), environment.table)
  const sqs = service('sqs')
  const { setup, memory, timeoutMs, sampleCpuEvery } = environment
  const sandbox = process.env.AWS_LAMBDA_LOG_STREAM_NAME ?? randomBytes(8).toString('hex')
  const cores = Math.ceil(memory / MB_PER_CORE)
  const buckets = (module.evaluator as Evaluator | undefined)?.({
    ...{
      function: own,
      setup: environment.deployed,
      table,
      store,
      longestMs: environment.sweepMs ?? LONGEST_MS,
      newId,
      now: Date.now,
      random: Math.random,
    },
    handOn: (held, attempt) => handOver(held, attempt, held.setup),
    bury: async (held, attempt, error) =>
      bury(
        await envelopeOf(held, Date.now() + SEND_MS),
        attempt,
        { ok: false, error: errorToWire(error) },
        held.function,
      ),
    ...(environment.sweepMs !== undefined && { lateMs: environment.sweepMs }),
    cancel: (run) => handler.cancel(run, 'cancelled'),
    fired: (ids) => writeLine(JSON.stringify({ fusionize: 'fired', ids })),
    later: (message, delayS) => sendMessage(sqs, environment.times ?? '', message, delayS),
    pause,
    log: (level, session, message) => transport.log({ level, task: own, session, message, time: Date.now() }),
  })
  const transport = lambdaTransport(environment, lambda, store, buckets)
  const info = { setup, sandbox, memory, cores, sampleCpuEvery, timeoutMs, dev: false }
  const handler = createHandler(module, info, transport)
  const options = new Map(
    module.tasks.flatMap((task) => {
      const definition = definitionOf(task)
      return definition ? [[definition.name, definition.options] as const] : []
    }),
  )
  const limitOf = (task: string) => options.get(task)?.timeout ?? timeoutMs
  const retriesOf = (task: string) => options.get(task)?.retries ?? DEFAULT_RETRIES
  let context: LambdaContext
  let cold: number | null = Math.round(performance.now())
  const bury = deadLetters(sqs, environment.deadLetters, (fn) =>
    fn === undefined ? context.invokedFunctionArn : functionArn(environment, context.invokedFunctionArn, fn),
  )
  const attempts = attemptsOf(table, retriesOf, bury, environment.retryMs)
  const longestMs = Math.max(timeoutMs, ...[...options.keys()].map(limitOf))
  const holds = holdsOf(module.function, table, store, longestMs * 2)

  async function envelopeOf(held: HeldSend, deadline: number): Promise<Envelope> {
    const { id, session, task, trace, parent } = held
    const input = await seal(held.input, SEND_BYTES, store, deadline)
    return {
      fusionize: ENVELOPE_VERSION,
      id,
      session,
      task,
      mode: 'send',
      external: false,
      input,
      trace,
      parent,
      at: Date.now(),
    }
  }

  /** Has work that was held here run as an invocation of its own. @param attempt of that run */
  async function handOn(held: HeldSend, attempt: number): Promise<void> {
    await buckets?.sessions.count(held.session, [held.id])
    await handOver(held, attempt)
  }

  async function handOver(held: HeldSend, attempt = 1, deployed = environment.deployed): Promise<void> {
    const deadline = Date.now() + SEND_MS
    const envelope = { ...(await envelopeOf(held, deadline)), ...(attempt > 1 && { attempt }) }
    await send(lambda, calleeOf({ ...environment, deployed }, held.function), envelope, deadline)
  }

  async function again(held: HeldSend, outcome: Outcome & { ok: false }): Promise<void> {
    if (retriesOf(held.task) > 0) return handOn(held, 2)
    await attempts.failed(await envelopeOf(held, Date.now() + SEND_MS), 1, outcome)
  }

  const begin = invocations({
    handler: () => handler,
    limitOf,
    holds: extension && holds,
    ...(buckets && { outlives: (work: Work) => buckets.outlives(work) }),
    again,
    cold() {
      const first = cold
      cold = null
      return first
    },
    record: (line, request) => writeLine(`{"fusionize":"record","request":"${request}","record":${line}}`),
    log: (task, session, message) => transport.log({ level: 'error', task, session, message, time: Date.now() }),
  })

  /** @param from how the session knows of it */
  async function run(work: Work, from: From): Promise<Outcome> {
    const { awsRequestId } = context
    const began = Date.now()
    const end = began + context.getRemainingTimeInMillis()
    const bucket = work.external && work.mode === 'call' ? options.get(work.task)?.result?.bucketName : undefined
    buckets?.enter(
      { ...work, request: { ...work, function: own, parent: work.parent ?? '', setup: environment.deployed } },
      from,
    )
    if (bucket !== undefined) await buckets?.awaits(work.session, bucket)
    const { reply, done } = begin(work, end, awsRequestId)
    // Whether an invocation that failed is over its attempts say.
    const over = buckets && work.mode === 'call' ? done.then(() => buckets.over(work)) : done
    extension?.during(awsRequestId, over)
    const outcome = await reply
    // What took too long goes on, and nobody knows how long.
    const late = !outcome.ok && outcome.error.code === 'TIMEOUT'
    if (buckets && !extension && !late) await over
    if (!buckets || bucket === undefined || !outcome.ok) return outcome
    return buckets.answer(work, bucket, Math.min(end - LAST_WORDS_MS, began + limitOf(work.task)))
  }

  async function serve(envelope: Envelope): Promise<Answer | null> {
    const { id, session, task, mode, external, trace, parent, root } = envelope
    const deadline = envelope.deadline ?? Number.MAX_SAFE_INTEGER
    const input = await open(envelope.input, store, Date.now() + context.getRemainingTimeInMillis())
    const attempt = mode === 'send' ? await attempts.of(envelope) : 1
    const work = { id, session, task, mode, input, external, attempt, deadline, trace, parent }
    const from: From =
      external || id === session
        ? { kind: 'root', sent: mode === 'send' }
        : mode === 'call'
          ? { kind: 'call', root }
          : { kind: 'send' }
    if (mode === 'send' && (await buckets?.isOver(work, envelope.replayed))) {
      await buckets?.over(work)
      return null
    }
    const outcome = await run(work, from)
    if (mode === 'call') {
      const counted = root !== undefined && buckets?.sessions.isCounted(session)
      return { ...(await answerOf(outcome)), ...(counted && { counted }) }
    }
    if (!outcome.ok && (await attempts.failed(envelope, attempt, outcome))) {
      await buckets?.leave(work)
      throw errorFromWire(outcome.error)
    }
    await buckets?.over(work, !outcome.ok)
    return null
  }

  async function answerOf(outcome: Outcome): Promise<Answer> {
    if (!outcome.ok) return { fusionize: ENVELOPE_VERSION, ok: false, error: outcome.error }
    const deadline = Date.now() + context.getRemainingTimeInMillis()
    return { fusionize: ENVELOPE_VERSION, ok: true, output: await seal(outcome.output, CALL_BYTES, store, deadline) }
  }

  /** What came from outside, for a task of this function. */
  function outside(task: string, input: Payload, more: Partial<Work> = {}): Promise<Outcome & { session: string }> {
    const session = more.session ?? newId()
    const trace = { trace: newId(), parent: null }
    const deadline = Number.MAX_SAFE_INTEGER
    const work = {
      id: newId(),
      task,
      mode: 'call',
      input,
      external: true,
      attempt: 1,
      deadline,
      ...trace,
      ...more,
    } as const
    return run({ ...work, session }, { kind: 'root', sent: work.mode === 'send' }).then((outcome) => ({
      ...outcome,
      session,
    }))
  }

  return async (event, given) => {
    context = given
    const { fusionize: kind } = (event ?? {}) as { fusionize?: unknown }
    if (kind === ENVELOPE_VERSION) return serve(event as Envelope)
    if (kind === 'sweep') {
      // Who holds no work may not even look for it.
      const held = environment.afterReply === 'extension' ? await holds.sweep((send) => handOn(send, 2)) : 0
      return { handed: held + ((await buckets?.sweep()) ?? 0) }
    }
    if (kind === 'flush' && buckets) return { fired: await buckets.flush() }
    if (kind === 'time' && buckets) return buckets.time(event as TimeMessage)
    if (kind !== undefined) throw unknownKind(own, kind)
    if (isHttpEvent(event))
      return answerHttp(event, environment.http ?? [], (task, input, traceparent) =>
        outside(task, input, traceOf(traceparent)),
      )
    if (isSqsEvent(event) && buckets && isTimes(event)) return answerTimes(event, (message) => buckets.time(message))
    if (isSqsEvent(event))
      return answerBatch(
        event,
        async ({ id, input, attempt }) => {
          const work = { id, session: id }
          const outcome = await outside(own, input, { ...work, mode: 'send', attempt })
          // What fails comes again.
          await (outcome.ok ? buckets?.over(work) : buckets?.leave(work))
          return outcome
        },
        (session, message) => transport.log({ level: 'error', task: own, session, message, time: Date.now() }),
      )
    const outcome = await outside(own, event === undefined ? undefined : JSON.stringify(event))
    if (!outcome.ok) throw errorFromWire(outcome.error)
    return plainOf(outcome.output)
  }
}

/** The output as Lambda answers it to whoever knows nothing of envelopes. */
function plainOf(output: Payload): unknown {
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

function newId(): string {
  return randomBytes(16).toString('hex')
}
