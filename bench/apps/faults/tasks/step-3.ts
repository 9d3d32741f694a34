import { type BucketObject, task } from 'fusionize'
import { fourth } from '../buckets/fourth'
import { replies } from '../buckets/replies'
import { ATTEMPTS, type Walk, WITHIN_MS, work } from '../lib/work'
import step4 from './step-4'

export default task('step-3', async ({ key, value, session }: BucketObject<Walk>, { attempt }) => {
  await work(value, 3, session, attempt)
  await fourth.put(key, value)
  await replies.expect({ key, from: step4, within: WITHIN_MS, attempts: ATTEMPTS, rerun: value.rerun })
})
