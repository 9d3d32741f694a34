import type { PlannerFacts } from '@fusionize/planner'
import { awsLambdaArm, awsLambdaX86, lambdaMbPerCore, ratesOf } from 'fusionize/prices'

/** Processors that functions run on, by price. */
export const architectures = ['x86', 'arm'] as const
export type Architecture = (typeof architectures)[number]

/** What costs are told for. */
export interface PricedFacts extends PlannerFacts {
  name: string
  /** ISO date of the price list. */
  date: string
}

/**
 * AWS Lambda, first price tier, behind function URLs, which are free. arm costs a fifth less. Sizes are those that its price list names, within
 * 128…10240 MB; 1769 MB are one full core.
 */
export function lambdaFacts(architecture: Architecture): PricedFacts {
  const { date, name, ...prices } = ratesOf(architecture === 'arm' ? awsLambdaArm : awsLambdaX86)
  return {
    name,
    date,
    memoryLadder: [128, 256, 512, 768, 1024, 1536, 1769, 2048, 3072, 4096, 5120, 6144, 7168, 8192, 9216, 10240],
    mbPerCore: lambdaMbPerCore,
    cpuShareEnforced: true,
    prices,
  }
}
