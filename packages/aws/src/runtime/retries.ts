import type { Outcome } from 'fusionize/runtime'
import type { Endings } from './endings.js'
import type { Envelope } from './envelope.js'
import { sendMessage } from './queue.js'
import type { Service } from './service.js'
import { expiresIn, type Table } from './table.js'

/**
 * Ms after a hand-over before which Lambda has not yet retried: it waits a minute before the first retry and two before the second
 * ("How Lambda handles errors and retries with asynchronous invocation", AWS Lambda Developer Guide).
 */
export const RETRY_MS = 55_000
const ANSWER_MS = 10_000
const EXPIRE_DAYS = 2

/** One run of an event, as far as is known. */
export interface Attempt {
  /** 1, 2…: never less than it is, so that who runs again knows it. */
  number: number
  /** Runs before it that failed here: never more than there were, so that no retry is lost. */
  failures: number
}

/** Of what nobody ran before. */
export const firstAttempt: Attempt = { number: 1, failures: 0 }

/**
 * Lambda says of no event how often it was tried. This counts the failures, and the runs that were begun: a sandbox that is killed tells of no
 * failure. A first run costs nothing, unless it begins so late that it may be none: then the table, or if that knows nothing the log, is asked.
 */
export interface Attempts {
  /** The attempt that begins now. @param request Lambda's id of the event */
  begin(envelope: Envelope, request: string): Promise<Attempt>
  /** This attempt failed. @returns whether Lambda is to try again */
  failed(envelope: Envelope, attempt: Attempt, outcome: Outcome & { ok: false }): Promise<boolean>
}

export interface AttemptPorts {
  table: Table
  /** Runs after the first, by task. */
  retriesOf(task: string): number
  /** Keeps what has no attempts left. */
  bury(envelope: Envelope, attempt: number, outcome: Outcome & { ok: false }): Promise<void>
  endings: Endings
  /** An attempt begins that may not be the first. */
  began(envelope: Envelope, attempt: number): void
}

/** @param retryMs see `RETRY_MS` */
export function attemptsOf(
  { table, retriesOf, bury, endings, began }: AttemptPorts,
  retryMs: number = RETRY_MS,
): Attempts {
  // A replay is a hand-over of its own, and begins to count anew.
  const key = ({ at, id }: Envelope) => `attempts#${id}#${at}`
  const soon = () => Date.now() + ANSWER_MS

  async function keep(envelope: Envelope, begun: number, failures: number): Promise<void> {
    const item = { pk: key(envelope), sk: '-', begun, failures, expires: expiresIn(EXPIRE_DAYS) }
    await table.put(item, soon())
  }

  return {
    async begin(envelope, request) {
      const first = envelope.attempt ?? 1
      if (Date.now() - envelope.at < retryMs) return { number: first, failures: 0 }
      const item = await table.get(key(envelope), '-', soon())
      // Of one that waited, for want of concurrency, nothing has ended yet.
      const begun = item ? Number(item.begun) : ((await endings(request, envelope.at)) ?? 1)
      const failures = Number(item?.failures ?? 0)
      await keep(envelope, begun + 1, failures)
      began(envelope, first + begun)
      return { number: first + begun, failures }
    },
    async failed(envelope, { number, failures }, outcome) {
      const first = envelope.attempt ?? 1
      if (first + failures > retriesOf(envelope.task)) {
        await bury(envelope, number, outcome)
        return false
      }
      await keep(envelope, number - first + 1, failures + 1)
      return true
    },
  }
}

/**
 * The app's dead letters: an SQS queue, to which Lambda itself sends what exhausts its retries.
 * @param functionArn of the function that runs a replay; `fn`: another than this one
 */
export function deadLetters(sqs: Service, url: string, functionArn: (fn: string | undefined) => string) {
  return async (
    envelope: Envelope,
    attempt: number,
    { error }: Outcome & { ok: false },
    fn?: string,
  ): Promise<void> => {
    // As Lambda's own destinations write it, with the error whole besides.
    const letter = {
      version: '1.0',
      timestamp: new Date().toISOString(),
      requestContext: {
        requestId: envelope.id,
        functionArn: functionArn(fn),
        condition: 'RetriesExhausted',
        approximateInvokeCount: attempt - (envelope.attempt ?? 1) + 1,
      },
      requestPayload: envelope,
      responseContext: {
        statusCode: 200,
        executedVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION ?? '$LATEST',
        functionError: 'Unhandled',
      },
      responsePayload: { errorType: error.name, errorMessage: error.message, fusionize: error },
    }
    await sendMessage(sqs, url, letter)
  }
}
