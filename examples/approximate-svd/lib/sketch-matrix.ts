import { draws, gaussian } from '@fusionize/example-kit'
import type { Matrix } from './matrix'
import { type SvdJob, sketchWidth } from './request'

/** The random matrix that all blocks are multiplied by; it follows from the job, so nobody has to pass it on. */
export function sketchMatrix(job: SvdJob): Matrix {
  const draw = draws(`sketch/${job.matrix}`)
  const columns = sketchWidth(job)
  const values = Float64Array.from({ length: job.columns * columns }, () => gaussian(draw))
  return { rows: job.columns, columns, values }
}
