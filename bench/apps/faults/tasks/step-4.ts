import { type BucketObject, task } from 'fusionize'
import { replies } from '../buckets/replies'
import { type Walk, work } from '../lib/work'

export default task('step-4', async ({ key, value, session }: BucketObject<Walk>, { attempt }) => {
  await work(value, 4, session, attempt)
  await replies.put(key, value.number)
})
