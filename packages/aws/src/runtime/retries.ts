import type { Outcome } from 'fusionize/runtime'
import type { Envelope } from './envelope.js'
import { sendMessage } from './queue.js'
import type { Service } from './service.js'
import type { Table } from './table.js'

/**
 * Ms after a hand-over before which Lambda has not yet retried: it waits a minute before the first retry and two before the second
 * ("How Lambda handles errors and retries with asynchronous invocation", AWS Lambda Developer Guide).
 */
export const RETRY_MS = 55_000
const ANSWER_MS = 10_000
const EXPIRE_DAYS = 2

/** Lambda says of no event how often it was tried; this counts the failures, where there are any. */
export interface Attempts {
  /** The number of the attempt that begins now. */
  of(envelope: Envelope): Promise<number>
  /** This attempt failed. @returns whether Lambda is to try again */
  failed(envelope: Envelope, attempt: number, outcome: Outcome & { ok: false }): Promise<boolean>
}

/**
 * @param retriesOf runs after the first, by task
 * @param bury keeps what has no attempts left
 * @param retryMs see `RETRY_MS`
 */
export function attemptsOf(
  table: Table,
  retriesOf: (task: string) => number,
  bury: (envelope: Envelope, attempt: number, outcome: Outcome & { ok: false }) => Promise<void>,
  retryMs: number = RETRY_MS,
): Attempts {
  // A replay is a hand-over of its own, and begins to count anew.
  const key = ({ at, id }: Envelope) => `attempts#${id}#${at}`
  const soon = () => Date.now() + ANSWER_MS
  return {
    async of(envelope) {
      const first = envelope.attempt ?? 1
      if (Date.now() - envelope.at < retryMs) return first
      const item = await table.get(key(envelope), '-', soon())
      return first + Number(item?.failures ?? 0)
    },
    async failed(envelope, attempt, outcome) {
      if (attempt > retriesOf(envelope.task)) {
        await bury(envelope, attempt, outcome)
        return false
      }
      const failures = attempt - (envelope.attempt ?? 1) + 1
      const expires = Math.ceil(Date.now() / 1000) + EXPIRE_DAYS * 86_400
      await table.put({ pk: key(envelope), sk: '-', failures, expires }, soon())
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
