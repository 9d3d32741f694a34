import { type BucketObject, task } from 'fusionize'
import { payloadArrivals } from '../../buckets/payload/arrivals'
import { checksumOf } from '../../lib/payload'

/** Checks that the bytes are those that were sent. */
export default task('payload-receive', async ({ key, value }: BucketObject<Uint8Array>) => {
  const checksum = checksumOf(value)
  if (key !== `${value.length}/${checksum}`) throw new Error(`${key} was sent, ${value.length}/${checksum} arrived`)
  await payloadArrivals.put('arrival', { bytes: value.length, checksum })
})
