import { type BucketObject, task } from 'fusionize'
import { seen } from '../buckets/seen'
import { nowUs } from '../lib/clock'

export default task('consumer', async (hop: BucketObject<number>) => {
  const at = nowUs()
  await seen.put(hop.key, at - hop.value)
})
