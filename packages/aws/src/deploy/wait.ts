import { setTimeout as sleep } from 'node:timers/promises'
import { FusionizeError } from 'fusionize'

/** How a deployment waits for what AWS does later. */
export interface Pace {
  /** Between two questions whether something is done, ms. */
  pollMs: number
  /** For which something may take until it is done, ms. */
  patienceMs: number
  /** Between the last new permission and the switch, ms. */
  settleMs: number
  wait(ms: number): Promise<void>
  signal?: AbortSignal | undefined
}

const defaults = { pollMs: 1000, patienceMs: 180_000, settleMs: 10_000 }

export function paceOf(given: Partial<Pace> = {}, signal?: AbortSignal): Pace {
  const wait = async (ms: number) => {
    await sleep(ms, undefined, signal && { signal })
  }
  return { ...defaults, wait, ...given, signal }
}

/**
 * Asks until the answer is there.
 * @param ask the answer, or undefined as long as it is not there
 * @throws {FusionizeError} `DEPLOY_FAILED` when it takes longer than patience lasts
 */
export async function eventually<T>(pace: Pace, what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const attempts = Math.max(1, Math.ceil(pace.patienceMs / pace.pollMs))
  for (let attempt = 1; ; attempt++) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (attempt >= attempts)
      throw new FusionizeError(
        'DEPLOY_FAILED',
        `${what} took longer than ${Math.round(pace.patienceMs / 1000)} s; look at it in the AWS console and run the same command again`,
      )
    await pace.wait(pace.pollMs)
  }
}
