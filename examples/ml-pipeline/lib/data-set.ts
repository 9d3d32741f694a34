import { packBytes, packNumbers, unpackBytes, unpackNumbers } from '@fusionize/example-kit'
import { type Digits, makeDigits } from './digits'
import { nameOf, type TrainingJob } from './request'
import { store } from './store'
import type { Examples } from './tree'

/** Digits as they are kept: brightnesses, or what the components make of them, packed. */
interface Kept {
  training: { values: string; labels: string }
  testing: { values: string; labels: string }
}

/** The digits of a data set; made when they are not in the store yet. */
export async function digitsOf(job: TrainingJob): Promise<{ training: Digits; testing: Digits }> {
  const key = `digits/${nameOf(job)}`
  const kept = await store.get<Kept>(key)
  if (kept) return { training: unpacked(kept.training), testing: unpacked(kept.testing) }
  const training = makeDigits(`training/${job.dataset}`, job.training)
  const testing = makeDigits(`testing/${job.dataset}`, job.testing)
  await store.put(key, { training: packed(training), testing: packed(testing) })
  return { training, testing }
}

/** Keeps the features of both halves for those who train and test. */
export async function keepFeatures(job: TrainingJob, width: number, training: Digits, testing: Digits): Promise<void> {
  await store.put(`features/${nameOf(job)}`, { width, training: packed(training), testing: packed(testing) })
}

/** @throws {Error} when they are not in the store */
export async function featuresOf(job: TrainingJob, half: 'training' | 'testing'): Promise<Examples> {
  const key = `features/${nameOf(job)}`
  const kept = await store.get<Kept & { width: number }>(key)
  if (!kept) throw new Error(`${key} is not in the store`)
  const { pictures, labels } = unpacked(kept[half])
  return { features: pictures, width: kept.width, labels }
}

function packed({ pictures, labels }: Digits): Kept['training'] {
  return { values: packNumbers(pictures), labels: packBytes(labels) }
}

function unpacked({ values, labels }: Kept['training']): Digits {
  return { pictures: unpackNumbers(values), labels: unpackBytes(labels) }
}
