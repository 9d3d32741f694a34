import type { PriceModel, Rates } from 'fusionize/prices'
import { usdPerGbSecond } from 'fusionize/prices'
import type { Cost } from '../measure/cost.js'

/** Prices in either form: a platform's facts have rates, a price list has tiers. */
export type Prices = PriceModel | Rates

const perGbSecondOf = (prices: Prices) => ('tiers' in prices ? usdPerGbSecond(prices) : prices.perGbSecond)

/**
 * What one invocation costs (METRICS, cost), USD: GB × time rounded up, the request fee, and its start-up where that is billed. The gateway's fee
 * belongs to the external request, not here.
 * @param initMs start-up; 0: warm
 */
export function priceOf(prices: Prices, memoryMb: number, billedMs: number, initMs = 0): Cost {
  const usdPerMs = ((memoryMb / 1024) * perGbSecondOf(prices)) / 1000
  const { granularityMs } = prices
  // What clocks and sums add behind the ninth digit must not cost a grain.
  const rounded = (ms: number) => Math.ceil(ms / granularityMs - 1e-9) * granularityMs
  return {
    compute: usdPerMs * rounded(billedMs),
    requests: prices.perRequest,
    startup: prices.billsInit && initMs > 0 ? usdPerMs * rounded(initMs) : 0,
    gateway: 0,
  }
}
