import { calleeOf } from './callee.js'
import type { Environment } from './environment.js'
import { send } from './lambda.js'
import type { Service } from './service.js'

/** Event that has an environment start and do nothing. */
export const WARM = { fusionize: 'warm' } as const

/** Ms in which Lambda must have taken it: later nobody needs it. */
const SEND_MS = 5000

/**
 * Has environments start that a request will come to, before it does. Nothing waits for that.
 * @param failed told why one could not be asked for
 * @returns begins to count for a request, and returns what ends that
 */
export function startsAhead(
  environment: Environment,
  lambda: Service,
  failed: (error: Error) => void,
): () => () => void {
  const warm = async (fn: string) => send(lambda, calleeOf(environment, fn), WARM, Date.now() + SEND_MS)
  return () => {
    const timers = Object.entries(environment.ahead ?? {}).map(([fn, ms]) =>
      setTimeout(() => warm(fn).catch(failed), ms),
    )
    return () => timers.forEach(clearTimeout)
  }
}
