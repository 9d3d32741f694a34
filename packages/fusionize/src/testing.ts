import { plainDrained } from './runtime/plain.js'

/**
 * For unit tests of tasks: resolves when every task that runs outside a function, and every send that these made, is over.
 * @throws what a send failed with (an AggregateError when several did)
 * @example await checkout(cart); await drained(); expect(mails).toHaveLength(1)
 */
export function drained(): Promise<void> {
  return plainDrained()
}
