import { type BucketObject, task } from 'fusionize'
import { fanSetParts } from '../../buckets/fan-set/parts'
import type { Item } from '../../lib/fan'

export default task('fan-set-item', async ({ key, value: { index, of } }: BucketObject<Item>) => {
  await fanSetParts.put(key, { index, of, square: index * index })
})
