import { FusionizeError } from 'fusionize'
import { awsLambda } from './aws-lambda.js'

/** Delays of another platform, added to this one's so that what is learnt here holds there (DESIGN §7). */
export interface Emulation {
  readonly name: string
  /** ISO date of the measurements. */
  readonly date: string
  /** Ms that a warm hand-over costs the caller, drawn for this caller's memory in MB. */
  handOverMs(mode: 'call' | 'send', callerMemoryMb: number): number
  /** Ms of a sandbox's start: `provisionMs` is waited for and free, `initMs` is billed INIT. */
  startUp(artifactBytes: number): { provisionMs: number; initMs: number }
}

/**
 * @param seed equal seeds draw equal delays, call for call: give every setup that is compared the same
 * @throws {FusionizeError} `INVALID_CONFIG` when nothing of that name is known
 */
export function createEmulation(name: string, seed: number): Emulation {
  if (name !== awsLambda.name)
    throw new FusionizeError('INVALID_CONFIG', `cannot emulate '${name}'; known: '${awsLambda.name}'`)
  const { levels, init } = awsLambda
  const draw = { call: randomOf(seed), send: randomOf(seed + 1), startUp: randomOf(seed + 2) }
  return {
    name,
    date: awsLambda.date,
    handOverMs(mode, memoryMb) {
      const p = draw[mode]()
      return byMemory(awsLambda[mode], memoryMb, (quantiles) => interpolate(levels, quantiles, p))
    },
    startUp(bytes) {
      const total = interpolate(levels, awsLambda.startUp, draw.startUp())
      const initMs = interpolate(
        init.map(([size]) => size),
        init.map(([, ms]) => ms),
        bytes,
      )
      return { provisionMs: Math.max(0, total - initMs), initMs }
    },
  }
}

/** Linear in 1/memory between the sizes measured, as CPU-bound work is; constant outside. */
function byMemory(
  table: Record<number, readonly number[]>,
  memoryMb: number,
  at: (quantiles: readonly number[]) => number,
): number {
  const sizes = Object.keys(table).map(Number)
  const values = sizes.map((size) => at(table[size] as readonly number[]))
  return interpolate(
    sizes.map((size) => -1 / size),
    values,
    -1 / memoryMb,
  )
}

/** Piecewise linear through (xs, ys), xs ascending; constant outside. */
function interpolate(xs: readonly number[], ys: readonly number[], x: number): number {
  let i = xs.findIndex((known) => x <= known)
  if (i === 0) return ys[0] as number
  if (i === -1) i = xs.length
  if (i === xs.length) return ys[i - 1] as number
  const [x0, x1, y0, y1] = [xs[i - 1], xs[i], ys[i - 1], ys[i]] as [number, number, number, number]
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0)
}

/** Mulberry32: small, seeded, uniform on [0, 1). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
