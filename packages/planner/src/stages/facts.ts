import type { PlannerFacts } from '../types.js'
import type { StageFacts } from './types.js'

/** Cores that one sandbox has at most where the platform does not say: AWS Lambda's. */
const MAX_CORES = 6

/** A platform as plans of stages see it. Its CPU shares are given in periods wherever they are enforced (model/law.ts). */
export function stageFactsOf({ memoryLadder, mbPerCore, prices, machineCores }: PlannerFacts): StageFacts {
  const maxCores = Math.min(MAX_CORES, machineCores ?? MAX_CORES)
  // A larger sandbox has no more cores than the machine.
  const ladderMb = memoryLadder.filter((size) => size <= maxCores * mbPerCore)
  return {
    minMb: ladderMb[0] as number,
    maxMb: ladderMb.at(-1) as number,
    ladderMb,
    mbPerCore,
    maxCores,
    prices: { perGbSecond: prices.perGbSecond, perRequest: prices.perRequest },
    bundleItemMs: 0,
    inPeriods: true,
    ...(machineCores === undefined ? {} : { machineCores }),
  }
}
