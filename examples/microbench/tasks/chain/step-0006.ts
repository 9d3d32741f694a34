import { type BucketObject, task } from 'fusionize'
import { hop0007 } from '../../buckets/chain/hop-0007'
import type { Walk } from '../../lib/walk'

export default task('step-0006', async ({ value: { start, now } }: BucketObject<Walk>) => {
  await hop0007.put('walk', { start, now: now + 1 })
})
