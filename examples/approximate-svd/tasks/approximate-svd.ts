import { task } from 'fusionize'
import { jobOf, type SvdRequest } from '../lib/request'
import decompose from './decompose'
import orthonormalise from './orthonormalise'
import project from './project'
import sketch from './sketch'
import split from './split'

/** The largest singular values of a tall matrix, by two passes over its rows. */
export default task('approximate-svd', { http: 'POST /svd' }, async (request: SvdRequest) => {
  const job = jobOf(request)
  const blocks = await split(job)
  const bases = await orthonormalise(await sketch.map(blocks))
  const projections = await project.map(blocks.map((block, i) => ({ ...block, basis: bases[i] as string })))
  return decompose({ job, projections })
})
