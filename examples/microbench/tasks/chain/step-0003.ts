import { type BucketObject, task } from 'fusionize'
import { hop0004 } from '../../buckets/chain/hop-0004'
import type { Walk } from '../../lib/walk'

export default task('step-0003', async ({ value: { start, now } }: BucketObject<Walk>) => {
  await hop0004.put('walk', { start, now: now + 1 })
})
