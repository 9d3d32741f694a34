import { availableParallelism, totalmem } from 'node:os'
import { lambdaMbPerCore } from 'fusionize/prices'
import type { Limits } from './engine/scheduler.js'

/** Share of the machine's memory that sandboxes may be expected to use. */
const MEMORY_SHARE = 0.75

/**
 * How many sandboxes this machine runs, waits for and loads at a time.
 * @param restMs of sandboxes that are held to less than a core, see `Facts.restMs`
 */
export function limitsOf(maxSandboxes: number | undefined, queueLimit: number, restMs: number): Limits {
  const startsAtOnce = Math.max(2, availableParallelism())
  // Whoever has a whole core is never stopped.
  const restMsOf: Limits['restMsOf'] = (pool) => (pool.spec.memory < lambdaMbPerCore ? restMs : 0)
  if (maxSandboxes !== undefined)
    return {
      capacity: maxSandboxes,
      weightOf: () => 1,
      ceiling: Math.max(4 * maxSandboxes, maxSandboxes + 32),
      startsAtOnce,
      queueLimit,
      restMsOf,
    }
  return {
    capacity: Math.floor((totalmem() / 2 ** 20) * MEMORY_SHARE),
    weightOf: (pool) => expectedMb(pool.spec.memory),
    ceiling: 512,
    startsAtOnce,
    queueLimit,
    restMsOf,
  }
}

/** MB that a sandbox is expected to use: most use far less than they may. */
function expectedMb(memoryMb: number): number {
  return 64 + memoryMb / 8
}
