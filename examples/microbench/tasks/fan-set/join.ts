import { type BucketObject, task } from 'fusionize'
import { fanSetResults } from '../../buckets/fan-set/results'
import { type Part, totalOf } from '../../lib/fan'

/** Checks and adds up what came of all objects. */
export default task('fan-set-join', async (parts: BucketObject<Part>[]) => {
  await fanSetResults.put('total', totalOf(parts.map(({ value }) => value)))
})
