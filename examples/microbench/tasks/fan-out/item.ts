import { type BucketObject, task } from 'fusionize'
import { fanOutParts } from '../../buckets/fan-out/parts'
import type { Item } from '../../lib/fan'

export default task('fan-out-item', async ({ key, value: { index, of } }: BucketObject<Item>) => {
  await fanOutParts.put(key, { index, of, square: index * index })
})
