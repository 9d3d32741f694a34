import { rmSync } from 'node:fs'
import type { RecordSum } from '@fusionize/example-kit/records'
import { type BucketObject, task } from 'fusionize'
import { jobOf } from '../buckets/jobs'
import { reads } from '../buckets/reads'
import { replies } from '../buckets/replies'
import { checkOutputs } from '../lib/check-outputs'
import type { Output } from '../lib/job'
import { partitionFile } from '../lib/partition-file'
import { partName } from '../lib/plan'

/** Checks that all records are there, removes what the mappers left, and replies. */
export default task('finish', async (objects: BucketObject<Output>[]) => {
  const job = await jobOf()
  const parts = Array.from({ length: job.mappers }, (_, i) => partName(i))
  const read = await Promise.all(parts.map(async (part) => (await reads.get(part)) as RecordSum))
  const outputs = objects.map(({ value }) => value)
  const sum = checkOutputs(outputs, read)
  for (const part of parts) rmSync(partitionFile(job, part), { force: true })
  const { records, mappers, reducers } = job
  await replies.put('sorted', { records, mappers, reducers, files: outputs.map(({ file }) => file), sum })
})
