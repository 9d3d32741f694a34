import { type BucketObject, task } from 'fusionize'
import { hop0010 } from '../../buckets/chain/hop-0010'
import type { Walk } from '../../lib/walk'

export default task('step-0009', async ({ value: { start, now } }: BucketObject<Walk>) => {
  await hop0010.put('walk', { start, now: now + 1 })
})
