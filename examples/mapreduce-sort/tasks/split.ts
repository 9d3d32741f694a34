import { sampleBounds } from '@fusionize/example-kit/records'
import { task } from 'fusionize'
import { jobs } from '../buckets/jobs'
import { outputs } from '../buckets/outputs'
import { parts } from '../buckets/parts'
import { shuffle } from '../buckets/shuffle'
import type { Job } from '../lib/job'
import { partName, partsOf, rangeName } from '../lib/plan'

/** Finds the bounds of the ranges, says who will take part, and gives each mapper its part. */
export default task('split', async (plan: Omit<Job, 'bounds'>) => {
  const bounds = sampleBounds(plan.input, plan.records, plan.reducers).toString('base64')
  await jobs.put('job', { ...plan, bounds })
  const list = partsOf(plan)
  await shuffle.expect({ sources: list.map((_, i) => partName(i)) })
  await outputs.expect(Array.from({ length: plan.reducers }, (_, i) => rangeName(i)))
  await Promise.all(list.map((part, i) => parts.put(partName(i), part)))
})
