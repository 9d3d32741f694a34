import type { Outcome } from 'fusionize/runtime'
import type { Buckets, From } from './buckets/index.js'
import { endOf, type LambdaContext } from './context.js'
import type { Environment } from './environment.js'
import type { Extension } from './extension.js'
import type { Started, Work } from './invocations.js'
import { LAST_WORDS_MS } from './limits.js'
import type { TaskLimits } from './task-limits.js'

export interface SessionRunPorts {
  function: string
  environment: Environment
  limits: TaskLimits
  buckets: Buckets | undefined
  extension: Extension | undefined
  /** See `startsAhead`. */
  ahead(): () => void
  /** Begins an invocation. @param end epoch ms at which Lambda ends the sandbox  @param request Lambda's id of the invocation */
  begin(work: Work, end: number, request: string): Started
}

/** Runs work as one invocation of its session, and answers when it may be answered. @param from how the session knows of it */
export type SessionRun = (work: Work, from: From, context: LambdaContext) => Promise<Outcome>

/** @returns what runs one invocation, counts it in its session, and keeps the environment awake until nothing of it is under way */
export function sessionRun({
  ahead,
  begin,
  buckets,
  environment,
  extension,
  limits,
  ...ports
}: SessionRunPorts): SessionRun {
  return async (work, from, context) => {
    const { awsRequestId } = context
    const began = Date.now()
    const end = endOf(context)
    const bucket = work.external && work.mode === 'call' ? limits.answersFrom(work.task) : undefined
    const request = { ...work, function: ports.function, parent: work.parent ?? '', setup: environment.deployed }
    buckets?.enter({ ...work, request }, from)
    if (bucket !== undefined) await buckets?.awaits(work.session, bucket)
    const { reply, done } = begin(work, end, awsRequestId)
    if (from.kind === 'root' && work.attempt === 1) done.then(ahead())
    // Whether an invocation that failed is over its attempts say.
    const over = buckets && work.mode === 'call' ? done.then(() => buckets.over(work)) : done
    extension?.during(awsRequestId, over)
    const outcome = await reply
    // What takes too long may go on, and nobody knows how long.
    const late = !outcome.ok && outcome.error.code === 'TIMEOUT'
    if (buckets && !extension && !late) await over
    if (!buckets || bucket === undefined || !outcome.ok) return outcome
    return buckets.answer(work, bucket, Math.min(end - LAST_WORDS_MS, began + limits.timeoutMs(work.task)))
  }
}
