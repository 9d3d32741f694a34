import { accuracyOf, type Forest } from './forest'
import type { Examples } from './tree'

/** So many of the best forests vote together. */
const together = 3

/** The outcome of a training. */
export interface Outcome {
  /** Numbers of the forests that were chosen, the best first. */
  chosen: number[]
  /** Share of the test digits that they get right together. */
  accuracy: number
}

/** The forests got too few digits right: something is wrong with the data or the training. */
export class PoorModel extends Error {
  override readonly name = 'PoorModel'
  readonly code = 'POOR_MODEL'
}

/**
 * What is asked of the chosen forests at least: far above guessing (0.1), and below what they reach on any data set that was tried (0.92 and more
 * from 600 digits, 0.6 and more from 50), since ten forests that learn nothing must not pass, and an unlucky draw must.
 */
export function leastAccuracy(training: number): number {
  return training >= 500 ? 0.85 : 0.4
}

/**
 * Lets the forests that were best on what they had not seen vote on the test digits.
 * @throws {PoorModel}
 */
export function chooseForests(forests: readonly Forest[], testing: Examples, training: number): Outcome {
  const chosen = forests
    .map(({ outOfBag }, number) => ({ outOfBag, number }))
    .sort((a, b) => b.outOfBag - a.outOfBag || a.number - b.number)
    .slice(0, together)
    .map(({ number }) => number)
  const accuracy = accuracyOf(
    chosen.map((number) => forests[number] as Forest),
    testing,
  )
  const least = leastAccuracy(training)
  if (!(accuracy >= least))
    throw new PoorModel(`the forests get ${accuracy} of the digits right; at least ${least} is asked`)
  return { chosen, accuracy }
}
