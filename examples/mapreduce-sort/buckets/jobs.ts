import { bucket } from 'fusionize'
import type { Job } from '../lib/job'

/** What all tasks of a sort need to know, under the key `job`. */
export const jobs = bucket<Job>('jobs')

/** The sort that this run belongs to. */
export async function jobOf(): Promise<Job> {
  return (await jobs.get('job')) as Job
}
