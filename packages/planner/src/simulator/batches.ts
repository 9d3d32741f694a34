import { student975 } from '../statistics/student.js'
import type { Estimate } from '../types.js'
import { Histogram } from './histogram.js'
import type { Arrivals } from './types.js'

const BATCHES = 20

/**
 * 95% intervals of a long simulation by batch means (Law, Simulation Modeling and Analysis, §9.5.3): figures of 20 batches of requests are
 * nearly independent. Batches are stretches of requests where the load stays the same, else every 20th request.
 */
export class Batches {
  private readonly latencies = Array.from({ length: BATCHES }, () => new Histogram())
  private readonly usd = new Float64Array(BATCHES)
  private readonly requests = new Float64Array(BATCHES)
  private readonly length: number

  constructor(
    arrivals: Arrivals,
    private readonly warmUp: number,
  ) {
    const total = arrivals.kind === 'steady' || arrivals.kind === 'poisson' ? arrivals.requests - warmUp : 0
    this.length = total / BATCHES
  }

  arrival(request: number): void {
    add(this.requests, this.of(request), 1)
  }

  reply(request: number, latencyMs: number): void {
    this.latencies[this.of(request)]?.add(latencyMs)
  }

  cost(request: number, usd: number): void {
    add(this.usd, this.of(request), usd)
  }

  /** @param value of all requests together */
  percentile(p: number, value: number, n: number): Estimate {
    return estimate(
      this.latencies.filter((batch) => batch.n > 0).map((batch) => batch.quantile(p)),
      value,
      n,
    )
  }

  /** @param perRequestUsd what each request costs beside its invocations */
  costPerMillion(perRequestUsd: number, value: number, n: number): Estimate {
    const used = [...this.usd.keys()].filter((i) => (this.requests[i] as number) > 0)
    const each = used.map((i) => 1e6 * ((this.usd[i] as number) / (this.requests[i] as number) + perRequestUsd))
    return estimate(each, value, n)
  }

  private of(request: number): number {
    const i = request - this.warmUp
    return this.length >= 1 ? Math.min(BATCHES - 1, Math.floor(i / this.length)) : i % BATCHES
  }
}

/** Infinite bounds when there are fewer requests than batches. */
function estimate(batches: readonly number[], value: number, n: number): Estimate {
  if (batches.length < BATCHES) return { value, low: 0, high: Number.POSITIVE_INFINITY, n }
  const mean = batches.reduce((a, b) => a + b, 0) / BATCHES
  const variance = batches.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (BATCHES - 1)
  const margin = student975(BATCHES - 1) * Math.sqrt(variance / BATCHES)
  return { value, low: Math.max(0, value - margin), high: value + margin, n }
}

function add(to: Float64Array, i: number, value: number): void {
  to[i] = (to[i] as number) + value
}
