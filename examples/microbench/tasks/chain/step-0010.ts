import { type BucketObject, task } from 'fusionize'
import { chainResults } from '../../buckets/chain/results'
import type { Walk } from '../../lib/walk'

/** Checks that every step was taken once. */
export default task('step-0010', async ({ value: { start, now } }: BucketObject<Walk>) => {
  const end = now + 1
  if (end !== start + 10) throw new Error(`the chain led from ${start} to ${end}, not 10 steps on`)
  await chainResults.put('walk', { start, now: end })
})
