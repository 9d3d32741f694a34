import { normalQuantile } from '../statistics/normal.js'
import type { Grid } from './grid.js'
import { reshape } from './grid.js'

/** From this rank correlation on stages and workers count as dependent (BASELINES, `wisefuse`). */
export const CORRELATED = 0.2

/**
 * Maximum of n workers: F^n when they are independent, F(x)·P(Xj ≤ x | Xi ≤ x)^(n−1) when they are not (PAPERS §2, Orion). The conditional
 * probability is that of a Gaussian copula with the workers' rank correlation [ours]: profiles keep one number, not all pairs.
 * @param n workers, 1 or more @param rankCorrelation −1…1
 */
export function slowestOf(grid: Grid, n: number, rankCorrelation = 0): Grid {
  if (n <= 1) return grid
  if (Math.abs(rankCorrelation) <= CORRELATED) return reshape(grid, (f) => f ** n)
  const rho = Math.min(0.999, 2 * Math.sin((Math.PI * rankCorrelation) / 6))
  return reshape(grid, (f) => (f <= 0 ? 0 : f >= 1 ? 1 : f * (bothBelow(f, rho) / f) ** (n - 1)))
}

/** P(Xi ≤ x, Xj ≤ x) where each alone has probability f, by Owen's T: Φ₂(z, z; ρ) = Φ(z) − 2 T(z, √((1 − ρ)/(1 + ρ))). */
function bothBelow(f: number, rho: number): number {
  const z = normalQuantile(f)
  const a = Math.sqrt((1 - rho) / (1 + rho))
  // Midpoints suffice: the integrand is smooth and a rarely above 3.
  const steps = 64
  let sum = 0
  for (let i = 0; i < steps; i++) {
    const x = ((i + 0.5) / steps) * a
    sum += Math.exp((-z * z * (1 + x * x)) / 2) / (1 + x * x)
  }
  const t = (sum * a) / steps / (2 * Math.PI)
  return Math.max(0, Math.min(f, f - 2 * t))
}
