import { spectrumOf } from './known-matrix'
import { type SvdJob, sketchWidth } from './request'

/** Singular values that cannot be the matrix's. */
export class WrongValues extends Error {
  override readonly name = 'WrongValues'
  readonly code = 'WRONG_VALUES'
}

/** Of the sum of the squares: what rounding may add up to. */
const rounding = 1e-10

/**
 * Compares singular values with those of the matrix. With Q an orthonormal basis, B = QᵀA and ρ² = ‖A‖² − ‖B‖², which is the square of what the
 * basis misses (Frobenius norms):
 *
 * - ‖A‖² is the sum of the squares of all exact values;
 * - each value that was found is at most the exact one, and its square at most ρ² below (AᵀA − BᵀB is positive and no larger than ρ²);
 * - ρ is within three times of what is expected of a random basis: √(1 + k/(p − 1)) times what the best one misses, k values wanted and p
 *   directions more (Halko, Martinsson and Tropp, SIAM Review 2011, theorem 10.5).
 * @param found in falling order
 * @param ofMatrix ‖A‖² as it was read
 * @param ofProjection ‖B‖²
 * @returns ρ
 * @throws {WrongValues}
 */
export function checkValues(job: SvdJob, found: readonly number[], ofMatrix: number, ofProjection: number): number {
  const exact = spectrumOf(job)
  const squares = exact.reduce((sum, value) => sum + value * value, 0)
  const slack = rounding * squares
  if (!(Math.abs(ofMatrix - squares) <= slack))
    throw new WrongValues(
      `the squares of the matrix add up to ${ofMatrix} instead of ${squares}: rows are lost or changed`,
    )
  const missed = Math.max(0, ofMatrix - ofProjection)
  const k = job.values
  const more = sketchWidth(job) - k
  const tail = exact.slice(k).reduce((sum, value) => sum + value * value, 0)
  const expected = more > 1 ? (1 + k / (more - 1)) * tail : squares
  if (missed > 9 * expected + slack)
    throw new WrongValues(`the basis misses ${Math.sqrt(missed)}; ${Math.sqrt(expected)} is to be expected`)
  for (const [j, value] of found.entries()) {
    const below = (exact[j] as number) ** 2 - value * value
    if (!(below >= -slack && below <= missed + slack))
      throw new WrongValues(`singular value ${j + 1} is ${value} instead of ${exact[j]}`)
  }
  if (found.length !== k) throw new WrongValues(`${found.length} singular values were found, not ${k}`)
  return Math.sqrt(missed)
}
