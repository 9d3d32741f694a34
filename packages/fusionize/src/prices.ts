/** What is paid for running functions, USD, where one price counts for each. */
export interface Rates {
  perGbSecond: number
  /** Per invocation. */
  perRequest: number
  /** Per external request at the gateway. */
  perGatewayRequest: number
  /** Whether start-up time is billed like run time. */
  billsInit: boolean
  /** Billed time is rounded up to this many ms. */
  granularityMs: number
}

/** Rates with where they come from. */
export interface DatedRates extends Rates {
  name: string
  /** ISO date of the price list. */
  date: string
}

/** What a platform asks for, as data: replace it where another platform, region or year counts. */
export interface PriceModel extends Omit<DatedRates, 'perGbSecond'> {
  source: string
  /** USD per GB-second by GB-seconds used in the month, ascending; the last has no end. */
  tiers: { upToGbSeconds: number; usdPerGbSecond: number }[]
  /** GB-seconds used in the month, which decide the price of one more; absent: the first tier's. */
  monthlyGbSeconds?: number
}

/** MB of memory that come with one full core on AWS Lambda (PAPERS §1). */
export const lambdaMbPerCore = 1769

const source = 'aws.amazon.com/lambda/pricing (us-east-1), PAPERS §4'

/** AWS Lambda on x86 behind a function URL, which is free (an HTTP API is 1.00e-6 a request, a REST API 3.50e-6). INIT is billed since August 2025. */
export const awsLambdaX86: PriceModel = {
  name: 'AWS Lambda x86',
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
  name: 'AWS Lambda arm',
  tiers: [
    { upToGbSeconds: 7.5e9, usdPerGbSecond: 0.0000133334 },
    { upToGbSeconds: 18.75e9, usdPerGbSecond: 0.0000120001 },
    { upToGbSeconds: Number.POSITIVE_INFINITY, usdPerGbSecond: 0.0000106667 },
  ],
}

/** AWS Lambda on x86 as it was when Fusionize was measured (2023): INIT was free. */
export const awsLambda2023: PriceModel = {
  ...awsLambdaX86,
  name: 'AWS Lambda x86, 2023',
  date: '2023-01-01',
  billsInit: false,
}

/**
 * Price of one more GB-second, USD, at what is used in the month.
 * @throws RangeError for a model without tiers
 */
export function usdPerGbSecond({ tiers, monthlyGbSeconds = 0 }: PriceModel): number {
  const tier = tiers.find(({ upToGbSeconds }) => monthlyGbSeconds < upToGbSeconds) ?? tiers.at(-1)
  if (!tier) throw new RangeError('the price model has no tier')
  return tier.usdPerGbSecond
}

/**
 * The rates of a price model at what is used in the month.
 * @throws RangeError for a model without tiers
 */
export function ratesOf(model: PriceModel): DatedRates {
  const { billsInit, date, granularityMs, name, perGatewayRequest, perRequest } = model
  return { name, date, perGbSecond: usdPerGbSecond(model), perRequest, perGatewayRequest, billsInit, granularityMs }
}
