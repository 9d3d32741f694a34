import { type BucketObject, task } from 'fusionize'
import { second } from '../buckets/second'
import { third } from '../buckets/third'
import { ATTEMPTS, type Walk, WITHIN_MS, work } from '../lib/work'
import step2 from './step-2'

export default task('step-1', async ({ key, value, session }: BucketObject<Walk>, { attempt }) => {
  await work(value, 1, session, attempt)
  await second.put(key, value)
  await third.expect({ key, from: step2, within: WITHIN_MS, attempts: ATTEMPTS, rerun: value.rerun })
})
