import type { Cost } from '../measure/cost.js'

/** What a platform asks for, as data: replace it where another platform, region or year counts. */
export interface PriceModel {
  name: string
  /** Day on which the prices were read. */
  date: string
  source: string
  /** USD per GB-second by GB-seconds used in the month, ascending; the last has no end. */
  tiers: { upToGbSeconds: number; usdPerGbSecond: number }[]
  /** USD per invocation. */
  perRequest: number
  /** USD per external request. */
  perGatewayRequest: number
  /** Whether start-ups are billed like work. */
  billsInit: boolean
  /** Durations are rounded up to it, ms. */
  granularityMs: number
  /** GB-seconds used in the month, which decide the price of one more; absent: the first tier's. */
  monthlyGbSeconds?: number
}

const source = 'aws.amazon.com/lambda/pricing (us-east-1), PAPERS §4'

/** AWS Lambda on x86 behind a function URL, which is free (an HTTP API is 1.00e-6 a request, a REST API 3.50e-6). INIT is billed since August 2025. */
export const awsLambdaX86: PriceModel = {
  name: 'aws-lambda-x86',
  date: '2026-01-01',
  source,
  tiers: [
    { upToGbSeconds: 6e9, usdPerGbSecond: 0.0000166667 },
    { upToGbSeconds: 15e9, usdPerGbSecond: 0.000015 },
    { upToGbSeconds: Number.POSITIVE_INFINITY, usdPerGbSecond: 0.0000133334 },
  ],
  perRequest: 0.2e-6,
  perGatewayRequest: 0,
  billsInit: true,
  granularityMs: 1,
}

/** AWS Lambda on arm: 20% less for compute, the same fees. */
export const awsLambdaArm: PriceModel = {
  ...awsLambdaX86,
  name: 'aws-lambda-arm',
  tiers: [
    { upToGbSeconds: 7.5e9, usdPerGbSecond: 0.0000133334 },
    { upToGbSeconds: 18.75e9, usdPerGbSecond: 0.0000120001 },
    { upToGbSeconds: Number.POSITIVE_INFINITY, usdPerGbSecond: 0.0000106667 },
  ],
}

/** AWS Lambda on x86 as it was when Fusionize was measured (2023): INIT was free. */
export const awsLambda2023: PriceModel = {
  ...awsLambdaX86,
  name: 'aws-lambda-2023',
  date: '2023-01-01',
  billsInit: false,
}

/** Price of one more GB-second, USD, at what is used in the month. */
export function usdPerGbSecond({ tiers, monthlyGbSeconds = 0 }: PriceModel): number {
  const tier = tiers.find(({ upToGbSeconds }) => monthlyGbSeconds < upToGbSeconds) ?? tiers.at(-1)
  if (!tier) throw new RangeError('the price model has no tier')
  return tier.usdPerGbSecond
}

/**
 * What one invocation costs (METRICS, cost), USD: GB × time rounded up, the request fee, and its start-up where that is billed.
 * @param initMs start-up; 0: warm
 */
export function priceOf(prices: PriceModel, memoryMb: number, billedMs: number, initMs = 0): Cost {
  const usdPerMs = ((memoryMb / 1024) * usdPerGbSecond(prices)) / 1000
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
