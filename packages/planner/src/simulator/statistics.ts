import { Batches } from './batches.js'
import { Histogram } from './histogram.js'
import type { Program } from './program.js'
import type { Invocation } from './state.js'
import type { SimulatedPlatform, SimulationOptions, SimulationResult } from './types.js'

/** Adds up what METRICS.md asks for while a simulation runs, in memory that does not grow with it. */
export class Statistics {
  longestQueue = 0
  mostSandboxes = 0
  private readonly batches: Batches
  private readonly latencies: (Histogram | undefined)[]
  private readonly invocations: Float64Array
  private readonly cold: Float64Array
  private readonly wallMs: Float64Array
  private readonly billedMs: Float64Array
  private readonly billedColdMs: Float64Array
  private requests = 0
  private replies = 0
  private firstMs = Number.NaN
  private endMs = Number.NaN
  private doubleGbMs = 0
  private allGbMs = 0
  private queued = 0
  private queueMs = 0
  private coldRequests = 0
  private criticalMs = 0

  constructor(
    private readonly program: Program,
    private readonly platform: SimulatedPlatform,
    { arrivals, warmUpRequests = 0 }: SimulationOptions,
  ) {
    this.batches = new Batches(arrivals, warmUpRequests)
    const { length } = program.functions
    this.latencies = Array.from({ length })
    this.invocations = new Float64Array(length)
    this.cold = new Float64Array(length)
    this.wallMs = new Float64Array(length)
    this.billedMs = new Float64Array(length)
    this.billedColdMs = new Float64Array(length)
  }

  request(request: number, now: number): void {
    if (this.requests++ === 0) this.firstMs = now
    this.batches.arrival(request)
  }

  reply(request: number, entry: number, latencyMs: number, criticalColdMs: number): void {
    this.replies++
    this.batches.reply(request, latencyMs)
    let histogram = this.latencies[entry]
    if (!histogram) {
      histogram = new Histogram()
      this.latencies[entry] = histogram
    }
    histogram.add(latencyMs)
    if (criticalColdMs <= 0) return
    this.coldRequests++
    this.criticalMs += criticalColdMs
  }

  end({ fn, start, coldMs, doubleMs, request }: Invocation, now: number): void {
    const { id, memoryMb } = fn
    const { prices } = this.platform
    const wallMs = now - start
    const billedMs = this.billed(wallMs)
    const billedColdMs = coldMs >= 0 && prices.billsInit ? this.billed(coldMs) : 0
    this.endMs = now
    add(this.invocations, id, 1)
    add(this.wallMs, id, wallMs)
    add(this.billedMs, id, billedMs)
    this.batches.cost(
      request,
      ((billedMs + billedColdMs) * memoryMb * prices.perGbSecond) / 1_024_000 + prices.perRequest,
    )
    this.allGbMs += memoryMb * wallMs
    this.doubleGbMs += memoryMb * doubleMs
    if (coldMs < 0) return
    add(this.cold, id, 1)
    add(this.billedColdMs, id, billedColdMs)
  }

  waited(ms: number): void {
    this.queued++
    this.queueMs += ms
  }

  result(): SimulationResult {
    const { functions } = this.program
    const { prices } = this.platform
    const perRequest = 1e6 / this.requests
    const usd = (fn: number, ms: Float64Array) =>
      (((functions[fn]?.memoryMb ?? 0) / 1024) * (ms[fn] as number) * prices.perGbSecond) / 1000
    const ids = functions.map(({ id }) => id)
    const invocations = sum(this.invocations)
    const cost = {
      compute: ids.reduce((all, id) => all + usd(id, this.billedMs), 0) * perRequest,
      requests: invocations * prices.perRequest * perRequest,
      startup: ids.reduce((all, id) => all + usd(id, this.billedColdMs), 0) * perRequest,
      gateway: this.requests === 0 ? Number.NaN : prices.perGatewayRequest * 1e6,
    }
    const all = new Histogram()
    for (const histogram of this.latencies) if (histogram) all.merge(histogram)
    const coldStarts = sum(this.cold)
    const latency = all.figures()
    const costPerMillionUsd = cost.compute + cost.requests + cost.startup + cost.gateway
    const { batches, replies } = this
    return {
      requests: this.requests,
      stuck: this.requests - this.replies,
      lengthMs: this.endMs - this.firstMs,
      latency,
      entries: Object.fromEntries(
        this.latencies.flatMap((histogram, id) =>
          histogram ? [[functions[id]?.name as string, histogram.figures()]] : [],
        ),
      ),
      costPerMillionUsd,
      cost,
      estimates: {
        p50Ms: batches.percentile(0.5, latency.p50Ms, replies),
        p95Ms: batches.percentile(0.95, latency.p95Ms, replies),
        p99Ms: batches.percentile(0.99, latency.p99Ms, replies),
        costPerMillionUsd: batches.costPerMillion(prices.perGatewayRequest, costPerMillionUsd, this.requests),
      },
      invocations,
      invocationsPerRequest: invocations / this.requests,
      coldStarts,
      coldShare: invocations === 0 ? 0 : coldStarts / invocations,
      coldRequestShare: this.coldRequests / this.requests,
      coldCriticalMs: this.criticalMs / this.requests,
      doubleBillingShare: this.allGbMs === 0 ? 0 : this.doubleGbMs / this.allGbMs,
      queue: {
        share: invocations === 0 ? 0 : this.queued / invocations,
        meanMs: invocations === 0 ? 0 : this.queueMs / invocations,
        longest: this.longestQueue,
      },
      sandboxes: this.mostSandboxes,
      functions: Object.fromEntries(
        functions.flatMap(({ id, name, memoryMb }) => {
          const count = this.invocations[id] as number
          if (count === 0) return []
          const costPerMillionUsd =
            (usd(id, this.billedMs) + usd(id, this.billedColdMs) + count * prices.perRequest) * perRequest
          const wallMs = (this.wallMs[id] as number) / count
          return [
            [name, { memoryMb, invocations: count, coldStarts: this.cold[id] as number, wallMs, costPerMillionUsd }],
          ]
        }),
      ),
    }
  }

  /** Rounded up to what is billed; sums of times are right to a ns or so, which must not cost a whole ms. */
  private billed(ms: number): number {
    const { granularityMs } = this.platform.prices
    return Math.ceil((ms - 1e-6) / granularityMs) * granularityMs
  }
}

function add(to: Float64Array, i: number, value: number): void {
  to[i] = (to[i] as number) + value
}

function sum(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  return total
}
