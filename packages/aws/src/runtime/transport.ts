import { FusionizeError, timeoutError } from 'fusionize'
import type { LogEntry, Outcome, Transport } from 'fusionize/runtime'
import type { Buckets } from './buckets/index.js'
import { calleeOf } from './callee.js'
import { headOf, sendOf } from './envelope.js'
import type { Environment } from './environment.js'
import { call, send } from './lambda.js'
import { CALL_BYTES, SEND_BYTES } from './limits.js'
import type { ObjectStore } from './object-store.js'
import { open, seal } from './seal.js'
import type { Service } from './service.js'

/** Ms in which a send must have been taken: beyond it its sender hears that it was not. */
const SEND_MS = 30_000

/**
 * How the tasks of a function reach others: each is a Lambda function.
 * @param buckets in apps with buckets
 */
export function lambdaTransport(
  environment: Environment,
  lambda: Service,
  store: ObjectStore,
  buckets?: Buckets,
): Transport {
  const { store: stored = [] } = environment
  /** Bytes that may go inside: of a task whose inputs pass through the store (`passing` of the setup) none. */
  const limitOf = (task: string, bytes: number) => (stored.includes(task) ? 0 : bytes)
  return {
    async call(request, signal): Promise<Outcome> {
      if (signal?.aborted) throw signal.reason
      const { deadline } = request
      const began = Date.now()
      const callee = calleeOf(environment, request.function ?? request.task)
      const input = await seal(request.input, limitOf(request.task, CALL_BYTES), store, deadline)
      const root = buckets?.sessions.uncounted(request.session)
      const about = { mode: 'call' as const, deadline, at: Date.now(), ...(root !== undefined && { root }) }
      let counted = true
      try {
        const answer = await call(lambda, callee, { ...headOf(request), input, ...about }, signal)
        counted = answer.counted === true
        if (!answer.ok) return answer
        return { ok: true, output: await open(answer.output, store, deadline) }
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        if (!(error instanceof FusionizeError) && Date.now() >= deadline)
          throw timeoutError(request.task, deadline - began)
        throw error
      } finally {
        // Who knows what became of a callee that did not answer.
        if (root !== undefined && counted) buckets?.sessions.wasCounted(request.session)
      }
    },
    async send(request) {
      const deadline = Date.now() + SEND_MS
      const callee = calleeOf(environment, request.function ?? request.task)
      const input = await seal(request.input, limitOf(request.task, SEND_BYTES), store, deadline)
      if (buckets) {
        const { deadline: _, function: fn = request.task, ...sent } = request
        const item = await buckets.sessions.sends(request.session, request.id)
        await buckets.sent(request.session, item, [{ ...sent, function: fn, setup: environment.deployed }])
      }
      await send(lambda, callee, sendOf(request, input), deadline)
    },
    async bucket(op) {
      return (buckets ?? unasked()).ask(op)
    },
    log: writeLog,
    // A function is never lent a session: what belongs to that is never asked for.
    mirror() {},
    result() {},
    release() {},
    begin: unasked,
    share: (value) => (buckets ?? unasked()).objects.share(value),
    object: async (ref) => (buckets ?? unasked()).objects.read(ref),
  }
}

function unasked(): never {
  throw new FusionizeError(
    'BUILD_FAILED',
    "this function was built without the app's buckets; run 'fusionize deploy' again",
  )
}

/** A line of the function's log that says what a task, or the function itself, has to say. */
export function writeLog(entry: LogEntry): void {
  writeLine(logLine(entry))
}

function logLine({ level, task, session, message, data, time }: LogEntry): string {
  const head = JSON.stringify({ fusionize: 'log', level, task, session, message, time })
  return data === undefined ? head : `${head.slice(0, -1)},"data":${data}}`
}

/** A line of the function's log, past the console, which adds its own. */
export function writeLine(line: string): void {
  process.stdout.write(`${line}\n`)
}
