import { type BucketObject, task } from 'fusionize'
import { arrivals } from '../buckets/arrivals'
import { nowUs } from '../lib/clock'
import { mark, stampOf } from '../lib/stamp'

export default task('receiver', async (object: BucketObject<Uint8Array>) => {
  const at = nowUs()
  const { key, value } = object
  const us = at - stampOf(value)
  mark(value)
  await arrivals.put(key, { us, bytes: value.length, shared: value.buffer instanceof SharedArrayBuffer })
})
