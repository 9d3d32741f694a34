import type { PriceModel } from '@fusionize/platform'

/** AWS Lambda, x86, first price tier, entries behind function URLs, which are free (an HTTP API would be $1.00 per million). */
export const awsLambdaX86: PriceModel = {
  name: 'AWS Lambda x86',
  date: '2026-01-01',
  perGbSecond: 0.0000166667,
  perRequest: 0.2e-6,
  perGatewayRequest: 0,
  billsInit: true,
  granularityMs: 1,
}

/** Memory sizes in MB that a function may have; 1650 and 3008 are those of the published measurements. */
export const memoryLadder = [128, 192, 256, 384, 512, 768, 1024, 1280, 1536, 1650, 1769, 2048, 3008]

/** MB that come with one full core, as on AWS Lambda. */
export const mbPerCore = 1769
