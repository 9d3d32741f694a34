import { type BucketObject, task } from 'fusionize'
import { hop0003 } from '../../buckets/chain/hop-0003'
import type { Walk } from '../../lib/walk'

export default task('step-0002', async ({ value: { start, now } }: BucketObject<Walk>) => {
  await hop0003.put('walk', { start, now: now + 1 })
})
