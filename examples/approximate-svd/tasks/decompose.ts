import { packNumbers, unpackNumbers } from '@fusionize/example-kit'
import { task } from 'fusionize'
import { checkValues } from '../lib/check-values'
import { smallSvd } from '../lib/jacobi'
import { spectrumOf } from '../lib/known-matrix'
import { squareSum, transposed, zeros } from '../lib/matrix'
import { nameOf, type SvdJob, sketchWidth } from '../lib/request'
import { store } from '../lib/store'
import type { Projection } from './project'

/** The largest singular values, and how far off they are. */
export interface SvdReply {
  values: number[]
  exact: number[]
  /** Frobenius norm of what the basis misses of the matrix. */
  missed: number
}

/** Adds the projections up and decomposes the small matrix that they make; checks what comes out and keeps it. */
export default task(
  'decompose',
  async ({ job, projections }: { job: SvdJob; projections: Projection[] }): Promise<SvdReply> => {
    const small = zeros(sketchWidth(job), job.columns)
    for (const { values } of projections)
      for (const [i, value] of unpackNumbers(values).entries()) small.values[i] = (small.values[i] as number) + value
    const { values: all, left } = smallSvd(transposed(small))
    const values = [...all.slice(0, job.values)]
    const squares = projections.reduce((sum, one) => sum + one.squares, 0)
    const missed = checkValues(job, values, squares, squareSum(small))
    await store.put(`decompositions/${nameOf(job)}-${job.values}`, { values, right: packNumbers(left.values) })
    return { values, exact: spectrumOf(job).slice(0, job.values), missed }
  },
)
