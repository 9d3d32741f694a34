import { type BucketObject, task } from 'fusionize'
import { jobOf } from '../buckets/jobs'
import { reads } from '../buckets/reads'
import { shuffle } from '../buckets/shuffle'
import { mapPart } from '../lib/map-part'
import { packed } from '../lib/partition-file'
import { type Part, rangeName } from '../lib/plan'

/** Divides its part of the input by ranges of keys. */
export default task('map', async ({ key: part, value }: BucketObject<Part>) => {
  shuffle.source(part)
  const { partitions, sum } = mapPart(await jobOf(), part, value)
  await reads.put(part, sum)
  await Promise.all(
    partitions.map((partition, i) => {
      const range = rangeName(i)
      const { key, bytes } = packed(part, range, partition)
      return shuffle.put(key, bytes, { group: range })
    }),
  )
})
