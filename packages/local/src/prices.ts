import { awsLambdaX86, type DatedRates, lambdaMbPerCore, ratesOf } from 'fusionize/prices'

/** What functions would cost on AWS Lambda, x86, in the first price tier. */
export const prices: DatedRates = ratesOf(awsLambdaX86)

/** Memory sizes in MB that a function may have; 1650 and 3008 are those of the published measurements. */
export const memoryLadder = [128, 192, 256, 384, 512, 768, 1024, 1280, 1536, 1650, 1769, 2048, 3008]

/** MB that come with one full core, as on AWS Lambda. */
export const mbPerCore = lambdaMbPerCore
