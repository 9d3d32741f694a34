import type { Estimate } from '@fusionize/planner'

/** A number with about three digits that count: 0.42, 5.31, 52.1, 237, 1240. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

/** `52.1 [50.3, 54.0]`; `–` when there is nothing. */
export function withInterval(estimate: Estimate | null | undefined): string {
  if (!estimate || !Number.isFinite(estimate.value)) return '–'
  return `${digits(estimate.value)} [${digits(estimate.low)}, ${digits(estimate.high)}]`
}

/** `52.1 ±1.9`: half the interval's width, where there is little room. */
export function withMargin(estimate: Estimate | null | undefined): string {
  if (!estimate || !Number.isFinite(estimate.value)) return '–'
  return `${digits(estimate.value)} ±${digits((estimate.high - estimate.low) / 2)}`
}

/** `47.2%`; `–` when there is nothing. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined || !Number.isFinite(share) ? '–' : `${(share * 100).toFixed(1)}%`
}

/** USD of a small amount: `$0.0021`, `$24.3`. */
export function usd(value: number): string {
  return value !== 0 && Math.abs(value) < 0.01 ? `$${value.toPrecision(2)}` : `$${digits(value)}`
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`
  return value < 1e6 ? `${digits(value / 1000)} kB` : `${digits(value / 1e6)} MB`
}
