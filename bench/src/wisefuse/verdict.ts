import type { Estimate } from '@fusionize/planner'

/** What a row is judged by. */
export interface Judged {
  name: string
  p95Ms: Estimate
  /** USD per million requests; null where CPU shares are not enforced. */
  costUsd: Estimate | null
}

/** Whether `a` is nowhere worse than `b` in (P95, cost), and in one of them better beyond both intervals. */
export function dominates(a: Judged, b: Judged): boolean {
  return pairs(a, b).every(([x, y]) => x.value <= y.value) && pairs(a, b).some(([x, y]) => x.high < y.low)
}

/** Whether `a` is nowhere worse and somewhere better by the values alone, which chance may have made. */
export function isAhead(a: Judged, b: Judged): boolean {
  return pairs(a, b).every(([x, y]) => x.value <= y.value) && pairs(a, b).some(([x, y]) => x.value < y.value)
}

function pairs(a: Judged, b: Judged): [Estimate, Estimate][] {
  return [[a.p95Ms, b.p95Ms], ...(a.costUsd && b.costUsd ? [[a.costUsd, b.costUsd] as [Estimate, Estimate]] : [])]
}

/** P95 and cost of one row as shares of another's. */
export interface Reduction {
  /** 1 − P95 / the other's, with the interval that the ends of both give. */
  p95: { value: number; low: number; high: number }
  /** Cost / the other's − 1; null where there is none. */
  cost: number | null
  /** The cost is not higher, or not beyond the intervals: then the reduction counts. */
  atEqualOrLowerCost: boolean
}

export function reductionOf(of: Judged, against: Judged): Reduction {
  const share = (x: number, y: number) => 1 - x / y
  const { costUsd } = of
  const other = against.costUsd
  return {
    p95: {
      value: share(of.p95Ms.value, against.p95Ms.value),
      low: share(of.p95Ms.high, against.p95Ms.low),
      high: share(of.p95Ms.low, against.p95Ms.high),
    },
    cost: costUsd && other ? costUsd.value / other.value - 1 : null,
    atEqualOrLowerCost: !costUsd || !other || costUsd.low <= other.high,
  }
}
