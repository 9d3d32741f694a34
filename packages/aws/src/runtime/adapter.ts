import { setTimeout as pause } from 'node:timers/promises'
import {
  createHandler,
  errorToWire,
  type FunctionModule,
  type HeldSend,
  type LogEntry,
  type Outcome,
} from 'fusionize/runtime'
import { startsAhead } from './ahead.js'
import type { Evaluator } from './buckets/index.js'
import { functionArn } from './callee.js'
import type { LambdaContext, LambdaHandler } from './context.js'
import { endingsIn } from './endings.js'
import { entries } from './entries.js'
import type { Envelope } from './envelope.js'
import type { Environment } from './environment.js'
import type { Extension } from './extension.js'
import { handOver } from './hand-over.js'
import { holdsOf } from './holds.js'
import { newId } from './ids.js'
import { invocations, type Work } from './invocations.js'
import { objectStore } from './object-store.js'
import { sendMessage } from './queue.js'
import { attemptsOf, deadLetters, firstAttempt } from './retries.js'
import { serveEnvelope } from './serve-envelope.js'
import { service } from './service.js'
import { sessionRun } from './session-run.js'
import { openTable } from './table.js'
import { taskLimits } from './task-limits.js'
import { lambdaTransport, writeLine, writeLog } from './transport.js'

/** MB that come with one core. */
const MB_PER_CORE = 1769
/** Ms that an invocation of Lambda has at most, and a little: what it left behind then is left for good. */
const LONGEST_MS = 16 * 60_000

/**
 * The fusion handler of one function behind Lambda's Node runtime, put together; which event is what say its entries.
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
  const sandbox = process.env.AWS_LAMBDA_LOG_STREAM_NAME ?? newId()
  const cores = Math.ceil(memory / MB_PER_CORE)
  const limits = taskLimits(module, timeoutMs)
  const elsewhere = handOver(environment, lambda, store)
  let invocation: LambdaContext
  const bury = deadLetters(sqs, environment.deadLetters, (fn) =>
    fn === undefined ? invocation.invokedFunctionArn : functionArn(environment, invocation.invokedFunctionArn, fn),
  )
  const endings = endingsIn(service('logs'), process.env.AWS_LAMBDA_LOG_GROUP_NAME ?? '')
  const began = ({ id, session, task, trace, parent }: Envelope, attempt: number) =>
    writeLine(
      JSON.stringify({
        fusionize: 'began',
        request: invocation.awsRequestId,
        work: { invocation: id, session, task, mode: 'send', trace, parent, attempt },
      }),
    )
  const attempts = attemptsOf({ table, retriesOf: limits.retries, bury, endings, began }, environment.retryMs)
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
    handOn: (held, attempt) => elsewhere.handOver(held, attempt ?? 1, held.setup),
    bury: async (held, attempt, error) =>
      bury(await elsewhere.envelope(held), attempt, { ok: false, error: errorToWire(error) }, held.function),
    ...(environment.sweepMs !== undefined && { lateMs: environment.sweepMs }),
    cancel: (run) => handler.cancel(run, 'cancelled'),
    fired: (ids) => writeLine(JSON.stringify({ fusionize: 'fired', ids })),
    later: (message, delayS) => sendMessage(sqs, environment.times ?? '', message, delayS),
    pause,
    log: (level, session, message) => log(level, own, session, message),
  })
  const transport = lambdaTransport(environment, lambda, store, buckets)
  const info = { setup, sandbox, memory, cores, sampleCpuEvery, timeoutMs, dev: false }
  const handler = createHandler(module, info, transport)
  const holds = holdsOf(own, table, store, limits.longestMs * 2)
  let cold: number | null = Math.round(performance.now())
  let coldKind: 'natural' | 'prewarmed' = 'natural'

  /** Has work that a sandbox has left run as an invocation of its own. */
  async function handOn(held: HeldSend): Promise<void> {
    await buckets?.sessions.count(held.session, [held.id])
    await elsewhere.handOver(held, 2)
  }

  async function again(held: HeldSend, outcome: Outcome & { ok: false }): Promise<void> {
    if (await buckets?.sessions.comesAgain(held.session)) return
    if (limits.retries(held.task) > 0) {
      await buckets?.sessions.sends(held.session, held.id)
      return elsewhere.handOver(held, 2)
    }
    await attempts.failed(await elsewhere.envelope(held), firstAttempt, outcome)
  }

  async function sweep(): Promise<number> {
    // Who holds no work may not even look for it.
    const held = environment.afterReply === 'extension' ? await holds.sweep(handOn) : 0
    return held + ((await buckets?.sweep()) ?? 0)
  }

  const complain = (task: string, session: string, message: string) => log('error', task, session, message)
  const begin = invocations({
    handler: () => handler,
    limitOf: limits.timeoutMs,
    holds: extension && holds,
    ...(buckets && { outlives: (work: Work) => buckets.sessions.outlives(work) }),
    again,
    cold() {
      const first = cold
      cold = null
      return { cold: first, ...(first !== null && { coldKind }) }
    },
    record: (line, request) => writeLine(`{"fusionize":"record","request":"${request}","record":${line}}`),
    log: complain,
  })
  const ahead = startsAhead(environment, lambda, ({ message }) => complain(own, '', message))
  const run = sessionRun({ function: own, environment, limits, buckets, extension, ahead, begin })
  const serve = serveEnvelope({ run, store, attempts, buckets })
  const answer = entries({
    ...{ function: own, http: environment.http ?? [], streaming: environment.streaming, run, serve, sweep, buckets },
    warmed() {
      coldKind = 'prewarmed'
    },
    complain: (session, message) => complain(own, session, message),
  })
  return (event, context) => {
    invocation = context
    const answered = answer(event, context)
    extension?.during(context.awsRequestId, answered)
    return answered
  }
}

function log(level: LogEntry['level'], task: string, session: string, message: string): void {
  writeLog({ level, task, session, message, time: Date.now() })
}
