import { task } from 'fusionize'
import { jobOf, type TrainingRequest } from '../lib/request'
import combine from './combine'
import pca from './pca'
import train from './train'

/** Learns to read digits, in ten ways at once, and says how well the best of them do. */
export default task('ml-pipeline', { http: 'POST /trainings' }, async (request: TrainingRequest) => {
  const job = jobOf(request)
  const { explained } = await pca(job)
  const forests = await train.map(Array.from({ length: job.forests }, (_, forest) => ({ job, forest })))
  return { ...(await combine({ job, forests })), explained }
})
