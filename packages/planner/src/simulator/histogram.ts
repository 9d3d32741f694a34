import type { DurationFigures } from './types.js'

/** Bits of the mantissa that tell buckets apart: 128 a doubling, so a bucket's middle is within 0.4% of all in it. */
const BITS = 7
const SHIFT = 20 - BITS
/** Exponents from 2⁻²⁰ ms (a ns) to 2⁴⁴ (500 years). */
const LOWEST = (1023 - 20) << BITS
const BUCKETS = 64 << BITS

const number = new Float64Array(1)
const words = new Uint32Array(number.buffer)
/** Which half of a number holds sign, exponent and the first bits of the mantissa. */
const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0

/** Counts of durations in buckets of equal relative width (Masson et al., DDSketch, VLDB 2019), found from the bits of the number: no sorting, no logarithm. */
export class Histogram {
  n = 0
  private sum = 0
  private min = Number.POSITIVE_INFINITY
  private max = 0
  private readonly counts = new Float64Array(BUCKETS)

  add(ms: number): void {
    this.n++
    this.sum += ms
    if (ms < this.min) this.min = ms
    if (ms > this.max) this.max = ms
    number[0] = ms
    let bucket = ((words[HIGH] as number) >>> SHIFT) - LOWEST
    if (bucket < 0) bucket = 0
    else if (bucket >= BUCKETS) bucket = BUCKETS - 1
    ;(this.counts[bucket] as number)++
  }

  merge(other: Histogram): void {
    this.n += other.n
    this.sum += other.sum
    this.min = Math.min(this.min, other.min)
    this.max = Math.max(this.max, other.max)
    for (let i = 0; i < BUCKETS; i++) (this.counts[i] as number) += other.counts[i] as number
  }

  /** @param p 0…1; NaN when empty */
  quantile(p: number): number {
    const rank = p * (this.n - 1)
    let seen = 0
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.counts[i] as number
      if (seen > rank) return Math.min(this.max, Math.max(this.min, (lowOf(i) + lowOf(i + 1)) / 2))
    }
    return this.n === 0 ? Number.NaN : this.max
  }

  figures(): DurationFigures {
    return {
      n: this.n,
      meanMs: this.n === 0 ? Number.NaN : this.sum / this.n,
      minMs: this.n === 0 ? Number.NaN : this.min,
      p50Ms: this.quantile(0.5),
      p95Ms: this.quantile(0.95),
      p99Ms: this.quantile(0.99),
      maxMs: this.n === 0 ? Number.NaN : this.max,
    }
  }
}

function lowOf(bucket: number): number {
  words[HIGH] = (bucket + LOWEST) << SHIFT
  words[1 - HIGH] = 0
  return number[0] as number
}
