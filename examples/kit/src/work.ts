import { crossOut, limitFor, spin } from './kernels.js'
import { rates } from './rates.js'
import { share } from './two-threads.js'

/** Work of one slice, ms: the longest that a thread is kept from its other requests. */
const sliceMs = 0.25

/** Below this the second thread's wake-up costs more than it takes over. */
const worthSharingMs = 1

/**
 * `cpuMs` of arithmetic in all, on two threads: about half of it in wall time, where there are two free cores.
 * The calling thread answers other requests in between.
 */
export async function crunch(cpuMs: number): Promise<void> {
  if (cpuMs < worthSharingMs) return crunchAlone(cpuMs)
  await share(Math.ceil(cpuMs / sliceMs), sliceMs, Math.round(sliceMs * rates().kernel))
}

/** `cpuMs` of arithmetic on the calling thread, which is blocked meanwhile. */
export function crunchAlone(cpuMs: number): void {
  spin(Math.round(cpuMs * rates().kernel))
}

/**
 * A sieve that takes `cpuMs` on the calling thread.
 * @returns the primes below 100; how far beyond it got depends on the machine
 */
export function sieve(cpuMs: number): number[] {
  const standing = crossOut(Math.max(limitFor(cpuMs * rates().sieve), 100))
  return Array.from({ length: 100 }, (_, n) => n).filter((n) => standing[n])
}
