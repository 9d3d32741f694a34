import { setTimeout as sleep } from 'node:timers/promises'

/** One request, as every step gets it. */
export interface Walk {
  number: number
  rerun: 'source' | 'session'
}

const WORK_MS = 100
const CRASH_SHARE = 0.01
export const WITHIN_MS = 200
export const ATTEMPTS = 6

/** Works for a while; one run of a hundred kills its process on the way. Which, follows from the request, the step and how often it ran before. */
export async function work({ number }: Walk, step: number, session: string, attempt: number): Promise<void> {
  const sessionRuns = session.length - session.replaceAll('+', '').length
  const [crashes, when] = draws(number, step, attempt, sessionRuns)
  if (crashes < CRASH_SHARE) setTimeout(() => process.kill(process.pid, 'SIGKILL'), when * WORK_MS)
  await sleep(WORK_MS)
}

/** Two numbers from 0 to 1 that follow from the others (SplitMix32). */
function draws(...from: number[]): [number, number] {
  let state = from.reduce((sum, n) => Math.imul(sum ^ (n + 1), 0x85ebca6b) ^ (sum >>> 15), 0x2545f491)
  const next = () => {
    state = (state + 0x9e3779b9) | 0
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32
  }
  return [next(), next()]
}
