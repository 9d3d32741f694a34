import { type BucketObject, task } from 'fusionize'
import { podiums } from '../../buckets/stragglers/podiums'
import { k, type Start } from '../../lib/race'

/** Checks that there are as many answers as are enough, from as many sources. */
export default task('stragglers-accept', async (objects: BucketObject<Start>[]) => {
  const first = objects.map(({ value }) => value.number)
  if (first.length !== k || new Set(first).size !== k)
    throw new Error(`${k} sources are enough, not ${first.join(', ')}`)
  const late = objects.filter(({ value }) => value.delayMs > 0).map(({ value }) => value.number)
  await podiums.put('podium', { first, late })
})
