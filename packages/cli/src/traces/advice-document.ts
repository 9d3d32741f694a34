import type { Advice } from '@fusionize/planner'
import { characteristicsDocument } from './characteristics.js'
import type { PricedFacts } from './facts.js'
import type { Reading } from './read-files.js'

/** What advice was made with. */
export interface AdviceContext {
  facts: PricedFacts
  input: Reading
  assumedMemoryMb: number | undefined
}

/** The document of `advise --json`. */
export function adviceDocument(
  { characteristics, ...advice }: Advice,
  { assumedMemoryMb, facts, input }: AdviceContext,
) {
  return {
    ...advice,
    characteristics: characteristicsDocument(characteristics),
    prices: { name: facts.name, date: facts.date, ...facts.prices },
    ...(assumedMemoryMb !== undefined && { assumedMemoryMb }),
    input,
  }
}
