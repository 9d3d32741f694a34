import { task } from 'fusionize'
import { featuresOf } from '../lib/data-set'
import { type Forest, grid, type Settings, trainForest } from '../lib/forest'
import { nameOf, type TrainingJob } from '../lib/request'
import { store } from '../lib/store'

/** Trains one of the forests. Which one decides how long it takes. */
export default task(
  'train',
  async ({ job, forest }: { job: TrainingJob; forest: number }): Promise<Omit<Forest, 'trees'>> => {
    const examples = await featuresOf(job, 'training')
    const trained = trainForest(examples, grid[forest] as Settings, `forest/${job.dataset}/${forest}`)
    await store.put(`models/${nameOf(job)}/${forest}`, trained)
    const { outOfBag, compared } = trained
    return { outOfBag, compared }
  },
)
