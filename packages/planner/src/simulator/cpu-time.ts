import { Quota } from './quota.js'
import { Sandbox } from './state.js'
import type { CpuShare } from './types.js'

/** Moments within a period, and within a tick of the timer, at which work may begin: evenly spread, so that their mean is that of all. */
const MOMENTS = 32

/**
 * Mean ms that work takes in a sandbox that has nothing else to do and owes nothing, whenever it begins.
 * @param coreMs ms on one full core, all threads together
 * @param threads that share it
 * @param vcpus cores that the sandbox has a right to
 */
export function computingMs(coreMs: number, threads: number, vcpus: number, cpu: CpuShare): number {
  if (cpu.kind === 'none' || vcpus >= threads) return coreMs / threads
  if (cpu.kind === 'even') return coreMs / Math.min(threads, vcpus)
  if (coreMs <= vcpus * cpu.periodMs) return coreMs / threads
  let sum = 0
  for (let i = 0; i < MOMENTS; i++) sum += quotaTimeMs(coreMs, threads, vcpus, cpu, i)
  return sum / MOMENTS
}

function quotaTimeMs(
  coreMs: number,
  threads: number,
  vcpus: number,
  cpu: Extract<CpuShare, { kind: 'quota' }>,
  moment: number,
): number {
  // The golden ratio spreads the second of two moments evenly whatever the first.
  const moments = [(moment + 0.5) / MOMENTS, (moment * 0.6180339887498949) % 1]
  const quota = new Quota(cpu, () => moments.shift() ?? 0.5)
  const sandbox = new Sandbox(0)
  quota.reset(sandbox, vcpus, 0)
  return workedUntil(quota, sandbox, coreMs, threads, 0)
}

/** When work that begins now, in a sandbox that does nothing else, is done; the sandbox rests then. */
export function workedUntil(quota: Quota, sandbox: Sandbox, coreMs: number, threads: number, begins: number): number {
  let now = begins
  quota.refill(sandbox, now)
  quota.wake(sandbox, now)
  for (let left = coreMs; ; ) {
    sandbox.rate = sandbox.stopped ? 0 : threads
    const at = quota.nextCheck(sandbox, now)
    if (!sandbox.stopped && now + left / threads <= at) {
      now += left / threads
      quota.use(sandbox, left, now)
      quota.rest(sandbox, now)
      return now
    }
    quota.use(sandbox, sandbox.rate * (at - now), at)
    left -= sandbox.rate * (at - now)
    now = at
    quota.refill(sandbox, now)
    quota.check(sandbox, now)
  }
}
