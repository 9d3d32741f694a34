import { type BucketObject, task } from 'fusionize'
import { hop0002 } from '../../buckets/chain/hop-0002'
import type { Walk } from '../../lib/walk'

export default task('step-0001', async ({ value: { start, now } }: BucketObject<Walk>) => {
  await hop0002.put('walk', { start, now: now + 1 })
})
