import { type BucketObject, task } from 'fusionize'
import { hop0005 } from '../../buckets/chain/hop-0005'
import type { Walk } from '../../lib/walk'

export default task('step-0004', async ({ value: { start, now } }: BucketObject<Walk>) => {
  await hop0005.put('walk', { start, now: now + 1 })
})
