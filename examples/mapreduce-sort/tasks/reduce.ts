import { type BucketObject, task } from 'fusionize'
import { jobOf } from '../buckets/jobs'
import { outputs } from '../buckets/outputs'
import { unpacked } from '../lib/partition-file'
import { reduceRange } from '../lib/reduce-range'

/** Sorts a range of keys and writes its file. */
export default task('reduce', async (objects: BucketObject<Uint8Array>[]) => {
  const range = objects[0]?.group as string
  const partitions = objects.map(({ key, value }) => unpacked(key, value))
  await outputs.put(range, reduceRange(await jobOf(), range, partitions))
})
