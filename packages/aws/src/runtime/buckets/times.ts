import type { BatchAnswer, SqsEvent } from '../sqs-event.js'
import type { TimeMessage } from './ports.js'

const mark = '{"fusionize":"time",'

/** Whether a batch came from the queue of times. */
export function isTimes({ Records }: SqsEvent): boolean {
  return Records.every(({ body }) => body.startsWith(mark))
}

/** Tells the times of a batch; those that nobody could be told of come again. */
export async function answerTimes(
  { Records }: SqsEvent,
  tell: (message: TimeMessage) => Promise<void>,
): Promise<BatchAnswer> {
  const told = await Promise.allSettled(Records.map(async ({ body }) => tell(JSON.parse(body) as TimeMessage)))
  return {
    batchItemFailures: Records.flatMap(({ messageId }, i) =>
      told[i]?.status === 'rejected' ? [{ itemIdentifier: messageId }] : [],
    ),
  }
}
