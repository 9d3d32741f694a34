import { type BucketObject, task } from 'fusionize'
import { hop0009 } from '../../buckets/chain/hop-0009'
import type { Walk } from '../../lib/walk'

export default task('step-0008', async ({ value: { start, now } }: BucketObject<Walk>) => {
  await hop0009.put('walk', { start, now: now + 1 })
})
