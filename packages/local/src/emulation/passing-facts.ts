/**
 * What passing data between functions costs on other platforms (BASELINES, `sonic` 8): figures of the competitor's setting, UNVERIFIED and not measured by this
 * project. The planner's strategy has the same (`strategies/competitors/store-facts.ts`); a test keeps them equal.
 */
export interface PassingFacts {
  /** Of the figures, year and month. */
  date: string
  /** Object storage: ms until a put or a get begins to move data. */
  putMs: number
  getMs: number
  /** Of one sandbox with `fullMb` or more; in proportion to memory below. MB/s */
  storeMbPerS: number
  fullMb: number
  /** Network interface of a node, shared by the transfers that leave it at a time. MB/s */
  nicMbPerS: number
  /** USD an operation (AWS S3 standard). */
  putUsd: number
  getUsd: number
}

export const passingFacts: PassingFacts = {
  date: '2026-11',
  putMs: 40,
  getMs: 25,
  storeMbPerS: 80,
  fullMb: 1769,
  nicMbPerS: 70,
  putUsd: 5e-6,
  getUsd: 0.4e-6,
}
