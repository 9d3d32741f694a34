import { accuracyOf, type Forest, grid } from './forest'
import type { TrainingJob } from './request'
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
 * What is asked of the chosen forests at least. All ten of them reach 0.91 and more from 600 digits, 0.7 and more from 100; some of them, small ones
 * perhaps, must be better than guessing, which gets a tenth right.
 */
export function leastAccuracy({ training, forests }: Pick<TrainingJob, 'training' | 'forests'>): number {
  if (forests < grid.length) return 0.15
  return training >= 500 ? 0.85 : 0.5
}

/**
 * Lets the forests that were best on what they had not seen vote on the test digits.
 * @throws {PoorModel}
 */
export function chooseForests(forests: readonly Forest[], testing: Examples, job: TrainingJob): Outcome {
  const chosen = forests
    .map(({ outOfBag }, number) => ({ outOfBag, number }))
    .sort((a, b) => b.outOfBag - a.outOfBag || a.number - b.number)
    .slice(0, together)
    .map(({ number }) => number)
  const accuracy = accuracyOf(
    chosen.map((number) => forests[number] as Forest),
    testing,
  )
  const least = leastAccuracy(job)
  if (!(accuracy >= least))
    throw new PoorModel(`the forests get ${accuracy} of the digits right; at least ${least} is asked`)
  return { chosen, accuracy }
}
