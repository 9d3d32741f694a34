import { type BucketObject, task } from 'fusionize'
import { hop0008 } from '../../buckets/chain/hop-0008'
import type { Walk } from '../../lib/walk'

export default task('step-0007', async ({ value: { start, now } }: BucketObject<Walk>) => {
  await hop0008.put('walk', { start, now: now + 1 })
})
