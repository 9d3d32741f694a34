/** Time as a function of memory: `fixedMs + scaledMbMs / MB`, flat from `fullMb` on (the CPU law of PAPERS §1). */
export interface Fit {
  /** Waiting, which no memory shortens. ms */
  fixedMs: number
  /** Computing: ms at 1 MB. */
  scaledMbMs: number
  /** MB from which on more makes nothing faster. */
  fullMb: number
}

export interface Point {
  memory: number
  ms: number
}

export function timeAt({ fixedMs, scaledMbMs, fullMb }: Fit, memory: number): number {
  return fixedMs + scaledMbMs / Math.min(memory, fullMb)
}

/** The part of the time that is computing. */
export function computeAt({ scaledMbMs, fullMb }: Fit, memory: number): number {
  return scaledMbMs / Math.min(memory, fullMb)
}

/** Shorter times are nothing, ms. */
const SHORTEST = 1e-6

/**
 * Least squares of a + b/MB with a, b ≥ 0, by relative error: through two sizes it predicts others with a median error of 1.5% (PAPERS §1). One size
 * says nothing about others, so then `computing` decides what scales.
 * @param computing share of the time that is computing, 0…1, used when all points have one size
 */
export function fitTimes(points: readonly Point[], fullMb: number, computing = 0): Fit {
  const known = points.filter(({ ms }) => ms > SHORTEST)
  if (known.length === 0) return { fixedMs: 0, scaledMbMs: 0, fullMb }
  const rows = known.map(({ memory, ms }) => ({ x: 1 / Math.min(memory, fullMb), y: ms, w: 1 / ms ** 2 }))
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + row.w * of(row), 0)
  const [w, wx, wy, wxx, wxy] = [
    sum(() => 1),
    sum((r) => r.x),
    sum((r) => r.y),
    sum((r) => r.x ** 2),
    sum((r) => r.x * r.y),
  ]
  const level = wy / w
  const determinant = w * wxx - wx * wx
  if (determinant <= 1e-9 * w * wxx)
    return { fixedMs: level * (1 - computing), scaledMbMs: (level * computing * w) / wx, fullMb }
  const slope = (w * wxy - wx * wy) / determinant
  if (slope <= 0) return { fixedMs: level, scaledMbMs: 0, fullMb }
  const fixedMs = (wy - slope * wx) / w
  return fixedMs < 0 ? { fixedMs: 0, scaledMbMs: wxy / wxx, fullMb } : { fixedMs, scaledMbMs: slope, fullMb }
}
