import { task } from 'fusionize'
import { chooseForests, type Outcome } from '../lib/choose'
import { featuresOf } from '../lib/data-set'
import type { Forest } from '../lib/forest'
import { nameOf, type TrainingJob } from '../lib/request'
import { store } from '../lib/store'

/** A training and what came of it. */
export interface Trained extends Outcome {
  /** Of each forest, on what it had not seen. */
  outOfBag: number[]
}

/** Chooses the best forests and tests them. */
export default task(
  'combine',
  async ({ job, forests }: { job: TrainingJob; forests: Omit<Forest, 'trees'>[] }): Promise<Trained> => {
    const models = await Promise.all(forests.map((_, number) => modelOf(job, number)))
    const outcome = chooseForests(models, await featuresOf(job, 'testing'), job)
    const trained = { ...outcome, outOfBag: forests.map(({ outOfBag }) => outOfBag) }
    await store.put(`trainings/${nameOf(job)}-${job.forests}`, trained)
    return trained
  },
)

async function modelOf(job: TrainingJob, number: number): Promise<Forest> {
  const key = `models/${nameOf(job)}/${number}`
  const model = await store.get<Forest>(key)
  if (!model) throw new Error(`${key} is not in the store`)
  return model
}
