import type { BucketPorts, TimeMessage } from './ports.js'

/** S for which SQS can hold a message back ("Amazon SQS delay queues", Amazon SQS Developer Guide). */
const LONGEST_DELAY_S = 900

/** Has a function told of a time: in whole seconds, never too early; what is further away is told again on the way. */
export async function tellAt({ later, now }: Pick<BucketPorts, 'later' | 'now'>, message: TimeMessage): Promise<void> {
  const delayS = Math.ceil(Math.max(0, message.at - now()) / 1000)
  await later(message, Math.min(LONGEST_DELAY_S, delayS))
}
