import { availableParallelism, totalmem } from 'node:os'
import type { Limits } from './engine/scheduler.js'

/** Share of the machine's memory that sandboxes may be expected to use. */
const MEMORY_SHARE = 0.75

/** How many sandboxes this machine runs, waits for and loads at a time. */
export function limitsOf(maxSandboxes: number | undefined, queueLimit: number): Limits {
  const startsAtOnce = Math.max(2, availableParallelism())
  if (maxSandboxes !== undefined)
    return {
      capacity: maxSandboxes,
      weightOf: () => 1,
      ceiling: Math.max(4 * maxSandboxes, maxSandboxes + 32),
      startsAtOnce,
      queueLimit,
    }
  return {
    capacity: Math.floor((totalmem() / 2 ** 20) * MEMORY_SHARE),
    weightOf: (pool) => expectedMb(pool.spec.memory),
    ceiling: 512,
    startsAtOnce,
    queueLimit,
  }
}

/** MB that a sandbox is expected to use: most use far less than they may. */
function expectedMb(memoryMb: number): number {
  return 64 + memoryMb / 8
}
