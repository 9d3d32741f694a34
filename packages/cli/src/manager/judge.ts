import { choose, type Goal, objectiveEstimate, type Round } from '@fusionize/planner'
import type { Reading } from './reading.js'

/** Chance of so many errors, were the canary as sound as what serves, below which it is taken to be worse. */
const SUSPICION = 0.01
/** Times the requests that are enough, after which what is no better is given up. */
const PATIENCE = 4
/** What must change beyond the intervals to be drift: a tenth. */
const DRIFT = 0.1

export interface Verdict {
  become: 'adopted' | 'rolled back'
  why: string
  failed: boolean
}

/**
 * What becomes of a canary; undefined: it is too early to say. Both served at the same time, each a share of sessions.
 * @param enough requests of each that a decision takes
 */
export function judge(
  goal: Goal,
  serving: Pick<Reading, 'requests' | 'errors' | 'whole' | 'measurement'>,
  canary: Pick<Reading, 'requests' | 'errors' | 'whole' | 'measurement'>,
  enough: number,
): Verdict | undefined {
  if (hasMoreErrors(serving, canary))
    return {
      become: 'rolled back',
      why: `${canary.errors} of ${canary.requests} requests failed, of ${serving.requests} in the setup that serves ${serving.errors}`,
      failed: true,
    }
  const least = Math.min(serving.whole, canary.whole)
  if (least < enough) return undefined
  const round = (id: string, { measurement }: Pick<Reading, 'measurement'>) => ({ id, measurement }) as Round
  const winner = choose([round('serving', serving), round('canary', canary)], goal)
  const [before, after] = [objectiveEstimate(goal, serving.measurement), objectiveEstimate(goal, canary.measurement)]
  const change = `${Math.abs(100 * (1 - after.value / before.value)).toFixed(1)}% ${after.value < before.value ? 'less' : 'more'} of what the goal minimises`
  if (winner?.id === 'canary') return { become: 'adopted', why: change, failed: false }
  if (after.low > before.high) return { become: 'rolled back', why: change, failed: false }
  if (least < PATIENCE * enough) return undefined
  return { become: 'rolled back', why: `no better beyond chance after ${least} requests: ${change}`, failed: false }
}

/** Whether the canary has more errors than chance gives it, were its rate that of what serves. */
export function hasMoreErrors(
  serving: Pick<Reading, 'requests' | 'errors'>,
  canary: Pick<Reading, 'requests' | 'errors'>,
): boolean {
  if (canary.errors === 0) return false
  // Of few requests without an error little follows: half an error more.
  const rate = Math.min(1, (serving.errors + 0.5) / (serving.requests + 1))
  return binomialTail(canary.requests, canary.errors, rate) < SUSPICION
}

/** Whether what is minimised is another than it was: beyond both intervals, and by a tenth. */
export function hasDrifted(goal: Goal, then: Reading['measurement'], now: Reading['measurement']): boolean {
  const [a, b] = [objectiveEstimate(goal, then), objectiveEstimate(goal, now)]
  const isApart = b.low > a.high || b.high < a.low
  return isApart && Math.abs(b.value / a.value - 1) > DRIFT
}

/** Chance of at least `k` successes in `n` trials. */
export function binomialTail(n: number, k: number, p: number): number {
  if (k <= 0 || p >= 1) return 1
  let term = n * Math.log1p(-p)
  let below = Math.exp(term)
  for (let i = 1; i < k; i++) {
    term += Math.log((n - i + 1) / i) + Math.log(p) - Math.log1p(-p)
    below += Math.exp(term)
  }
  return Math.max(0, 1 - below)
}
