import { task } from 'fusionize'
import { digitsOf, keepFeatures } from '../lib/data-set'
import { side } from '../lib/digits'
import { principalComponents, projected } from '../lib/pca'
import type { TrainingJob } from '../lib/request'

/** Components that are kept of the 64 pixels. */
export const components = 16

/** Finds the directions in which the training digits differ most, and keeps both halves of the data as seen along them. */
export default task('pca', async (job: TrainingJob): Promise<{ explained: number }> => {
  const { training, testing } = await digitsOf(job)
  const found = principalComponents(training.pictures, side * side, components)
  const along = ({ pictures, labels }: typeof training) => ({ pictures: projected(pictures, found), labels })
  await keepFeatures(job, components, along(training), along(testing))
  return { explained: found.variances.reduce((sum, value) => sum + value, 0) / found.total }
})
