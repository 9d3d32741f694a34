import { setTimeout as sleep } from 'node:timers/promises'
import type { Setting } from '../harness.js'

/** Ms after which threads that spin have parked. */
const PARKED_MS = 1100

/** After a case: resolves when the next one has the cores for itself. */
export async function coresFree({ wait }: Pick<Setting, 'wait'>): Promise<void> {
  if (wait === 'spin') await sleep(PARKED_MS)
}
