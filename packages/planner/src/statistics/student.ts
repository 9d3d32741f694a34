/** Quantile 0.975 by degrees of freedom, from 1 on. */
const FIRST = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
]
const NORMAL = 1.959964

/**
 * Quantile 0.975 of Student's t: half the width of a 95% interval of a mean, in standard errors. Beyond the table, the expansion of Abramowitz and
 * Stegun (26.7.5), to 0.001.
 * @param freedom degrees of freedom, 1 or more
 * @throws {RangeError} for fewer
 */
export function student975(freedom: number): number {
  if (!(freedom >= 1)) throw new RangeError(`${freedom} degrees of freedom; an interval needs two values or more`)
  const known = FIRST[Math.floor(freedom) - 1]
  if (known !== undefined) return known
  const x = NORMAL
  return x + (x ** 3 + x) / (4 * freedom) + (5 * x ** 5 + 16 * x ** 3 + 3 * x) / (96 * freedom ** 2)
}
