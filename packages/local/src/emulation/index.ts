import { FusionizeError } from 'fusionize'
import { awsLambda } from './aws-lambda.js'

/** Delays of another platform, added to this one's so that what is learnt here holds there (DESIGN §7). */
export interface Emulation {
  readonly name: string
  /** ISO date of the measurements. */
  readonly date: string
  /**
   * Ms until a call reaches a warm callee, there and back, or until a send is accepted.
   * @param memoryMb of the caller
   * @param sandbox the caller's, told apart by identity: its first hand-over is dearer
   * @param invocation the caller's: what it hands over later is cheaper than its first
   */
  handOverMs(mode: 'call' | 'send', memoryMb: number, sandbox: object, invocation: string): number
  /** Ms of a sandbox's start: `provisionMs` is waited for and free, `initMs` is billed INIT. */
  startUp(artifactBytes: number): { provisionMs: number; initMs: number }
}

const states = ['warm', 'cold', 'later', 'coldLater', 'parallel'] as const
type State = (typeof states)[number]
type Quantiles = readonly number[]
type BySize = Record<number, Quantiles>

/** What a sandbox handed over last: all that goes out before the first of it is back. */
interface Burst {
  state: State
  invocation: string
  /** The probability that its first hand-over drew. */
  p: number
  /** When its last hand-over is back, ms. */
  until: number
}

/**
 * @param seed equal seeds draw equal delays, call for call: give every setup that is compared the same
 * @param now clock in ms
 * @throws {FusionizeError} `INVALID_CONFIG` when nothing of that name is known
 */
export function createEmulation(name: string, seed: number, now: () => number = () => performance.now()): Emulation {
  if (name !== awsLambda.name)
    throw new FusionizeError('INVALID_CONFIG', `cannot emulate '${name}'; known: '${awsLambda.name}'`)
  const { levels, handOver, together, init } = awsLambda
  const random = { call: randomOf(seed), send: randomOf(seed + 1), startUp: randomOf(seed + 2) }
  const togetherBySize = bySize(together)
  const bursts = new WeakMap<object, Burst>()

  const tables = { call: tablesOf(handOver.call), send: tablesOf(handOver.send) }
  const delayOf = (mode: 'call' | 'send', state: State, memoryMb: number, p: number) =>
    byMemory(tables[mode][state], memoryMb, (quantiles) => interpolate(levels, quantiles, p))

  return {
    name,
    date: awsLambda.date,
    handOverMs(mode, memoryMb, sandbox, invocation) {
      const drawn = random[mode]()
      const shared = random[mode]() < byMemory(togetherBySize, memoryMb, (share) => share)
      const last = bursts.get(sandbox)
      const start = now()
      if (last && start < last.until) {
        const state = stateBeside(last, mode)
        const delayMs = delayOf(mode, state, memoryMb, shared ? last.p : drawn)
        last.until = Math.max(last.until, start + delayMs)
        return delayMs
      }
      const state = stateAfter(last, invocation)
      const delayMs = delayOf(mode, state, memoryMb, drawn)
      bursts.set(sandbox, { state, invocation, p: drawn, until: start + delayMs })
      return delayMs
    },
    startUp(bytes) {
      const total = interpolate(levels, awsLambda.startUp, random.startUp())
      const initMs = interpolate(
        init.map(([size]) => size),
        init.map(([, ms]) => ms),
        bytes,
      )
      return { provisionMs: Math.max(0, total - initMs), initMs }
    },
  }
}

/** The state of a sandbox that hands over when nothing of what it handed over before is under way. */
function stateAfter(last: Burst | undefined, invocation: string): State {
  if (last === undefined) return 'cold'
  if (last.invocation !== invocation) return 'warm'
  return last.state === 'cold' || last.state === 'coldLater' ? 'coldLater' : 'later'
}

/** The state of a sandbox that hands over while something of what it handed over before is under way. */
function stateBeside({ state }: Burst, mode: 'call' | 'send'): State {
  if (mode === 'call') return state === 'cold' ? 'cold' : 'parallel'
  return state === 'warm' ? 'parallel' : state
}

/** The table of every state, whole: sizes and states without a measurement are as `warm`. */
function tablesOf(measured: { warm: BySize } & { [state in State]?: BySize }): Record<State, [number, Quantiles][]> {
  const whole = states.map((state) => [state, bySize({ ...measured.warm, ...measured[state] })])
  return Object.fromEntries(whole)
}

function bySize<T>(table: Record<number, T>): [number, T][] {
  return Object.entries(table).map(([size, value]) => [Number(size), value])
}

/** Linear in 1/memory between the sizes measured, as CPU-bound work is; constant outside. @param table by size, ascending */
function byMemory<T>(table: readonly [number, T][], memoryMb: number, at: (measured: T) => number): number {
  const above = table.findIndex(([size]) => memoryMb <= size)
  const [high, highest] = table.at(above) as [number, T]
  const [low, lowest] = table[above - 1] ?? [high, highest]
  if (above <= 0 || memoryMb === high) return at(highest)
  return interpolate([-1 / low, -1 / high], [at(lowest), at(highest)], -1 / memoryMb)
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
