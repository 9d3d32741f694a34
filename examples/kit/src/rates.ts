import { crossOut, limitFor, spin } from './kernels.js'

/** What one millisecond of this machine's CPU does. */
export interface Rates {
  /** Iterations of the arithmetic kernel per ms. */
  kernel: number
  /** Steps of the sieve per ms. */
  sieve: number
}

const names = { kernel: 'WORK_KERNEL_RATE', sieve: 'WORK_SIEVE_RATE' } as const
let measured: Rates | undefined

/** Measures this machine: the best of several short runs, about 50 ms in all. The best is the one that nothing disturbed. */
export function calibrate(): Rates {
  return {
    kernel: best(60_000, (iterations) => spin(iterations)),
    sieve: best(400_000, (steps) => crossOut(limitFor(steps))),
  }
}

/**
 * The rates to work by: those in the environment (`WORK_KERNEL_RATE`, `WORK_SIEVE_RATE`), else measured here, once.
 * A sandbox with a small share of a core measures wrongly; give it the environment of {@link rateEnv}.
 */
export function rates(): Rates {
  const kernel = Number(process.env[names.kernel])
  const sieve = Number(process.env[names.sieve])
  if (kernel > 0 && sieve > 0) return { kernel, sieve }
  measured ??= calibrate()
  return measured
}

/** The environment that hands this machine's rates to every function; for `env` of `fusionize.config.ts`. */
export function rateEnv(): Record<string, string> {
  const { kernel, sieve } = rates()
  return { [names.kernel]: String(Math.round(kernel)), [names.sieve]: String(Math.round(sieve)) }
}

let sink: unknown

function best(amount: number, run: (amount: number) => unknown): number {
  const warmUntil = performance.now() + 8
  while (performance.now() < warmUntil) sink = run(amount / 4)
  let fastest = Number.POSITIVE_INFINITY
  for (let round = 0; round < 12; round++) {
    const start = performance.now()
    sink = run(amount)
    fastest = Math.min(fastest, performance.now() - start)
  }
  return sink === undefined ? 0 : amount / fastest
}
