/**
 * The published applications' arithmetic: atan(i)·tan(i) over a falling counter. Self-contained, because the helper thread runs
 * its source text.
 */
export function spin(iterations: number): number {
  let sum = 0
  for (let i = iterations; i > 0; i--) sum += Math.atan(i) * Math.tan(i)
  return sum
}

/** Eratosthenes, naive: crosses out the multiples of every number, primes or not; about `limit · ln(limit)` steps. */
export function crossOut(limit: number): boolean[] {
  const standing = new Array<boolean>(limit + 1).fill(true)
  standing[0] = standing[1] = false
  for (let i = 2; i <= limit; i++)
    for (let multiple = 2 * i; multiple <= limit; multiple += i) standing[multiple] = false
  return standing
}

/** The limit up to which {@link crossOut} takes about `steps` steps. */
export function limitFor(steps: number): number {
  let limit = Math.max(steps, 3)
  for (let round = 0; round < 20; round++) limit = Math.max(steps / Math.log(limit), 3)
  return Math.round(limit)
}
