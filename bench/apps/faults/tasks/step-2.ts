import { type BucketObject, task } from 'fusionize'
import { fourth } from '../buckets/fourth'
import { third } from '../buckets/third'
import { ATTEMPTS, type Walk, WITHIN_MS, work } from '../lib/work'
import step3 from './step-3'

export default task('step-2', async ({ key, value, session }: BucketObject<Walk>, { attempt }) => {
  await work(value, 2, session, attempt)
  await third.put(key, value)
  await fourth.expect({ key, from: step3, within: WITHIN_MS, attempts: ATTEMPTS, rerun: value.rerun })
})
