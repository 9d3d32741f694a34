import { wholeNumbers } from '@fusionize/example-kit'
import { grid } from './forest'

/** What to train on. */
export interface TrainingRequest {
  /** Number of the data set; its digits follow from this. @default 1 */
  dataset?: number
  /** Digits to learn from. @default 600 × `ML_SCALE` */
  training?: number
  /** Digits to be tested on. @default half as many */
  testing?: number
  /** Forests that are trained in parallel, each in another way. @default 10 */
  forests?: number
}

export type TrainingJob = Required<TrainingRequest>

/** Share of the training digits unless `ML_SCALE` says otherwise. */
export const defaultScale = 1

/** @throws {RangeError} naming the first field that is wrong */
export function jobOf(request: TrainingRequest): TrainingJob {
  const digits = Math.max(100, Math.round(600 * Number(process.env.ML_SCALE ?? defaultScale)))
  return wholeNumbers(request, {
    dataset: { least: 0, most: 1e9, otherwise: 1 },
    training: { least: 100, most: 100_000, otherwise: digits },
    testing: { least: 100, most: 100_000, otherwise: Math.max(100, Math.round((request.training ?? digits) / 2)) },
    forests: { least: 1, most: grid.length, otherwise: grid.length },
  })
}

/** Names a data set. */
export function nameOf({ dataset, training, testing }: TrainingJob): string {
  return `d${dataset}-${training}-${testing}`
}
