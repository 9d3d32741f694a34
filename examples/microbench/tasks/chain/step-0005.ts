import { type BucketObject, task } from 'fusionize'
import { hop0006 } from '../../buckets/chain/hop-0006'
import type { Walk } from '../../lib/walk'

export default task('step-0005', async ({ value: { start, now } }: BucketObject<Walk>) => {
  await hop0006.put('walk', { start, now: now + 1 })
})
