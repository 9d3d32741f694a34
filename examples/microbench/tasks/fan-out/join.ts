import { type BucketObject, task } from 'fusionize'
import { fanOutResults } from '../../buckets/fan-out/results'
import { type Part, totalOf } from '../../lib/fan'

/** Checks and adds up what came of all objects. */
export default task('fan-out-join', async (parts: BucketObject<Part>[]) => {
  await fanOutResults.put('total', totalOf(parts.map(({ value }) => value)))
})
