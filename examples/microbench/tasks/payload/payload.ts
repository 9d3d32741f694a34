import { task } from 'fusionize'
import { payloadArrivals } from '../../buckets/payload/arrivals'
import { payloads } from '../../buckets/payload/payloads'
import { checksumOf, payloadOf } from '../../lib/payload'

/** Sends bytes over one hop; whoever gets them replies. The key says what they should be. */
export default task(
  'payload',
  { http: 'POST /payload', result: payloadArrivals },
  async ({ bytes }: { bytes: number }) => {
    if (!Number.isSafeInteger(bytes) || bytes < 0)
      throw new RangeError(`bytes is ${bytes}; give a whole number from 0 on`)
    const payload = payloadOf(bytes)
    await payloads.put(`${bytes}/${checksumOf(payload)}`, payload)
  },
)
