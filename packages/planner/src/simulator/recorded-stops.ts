import type { Interval } from '../statistics/intervals.js'
import { computingMs, workedUntil } from './cpu-time.js'
import { Quota } from './quota.js'
import { Sandbox } from './state.js'
import type { CpuShare } from './types.js'

/** Moments within a period at which a sandbox's first may have begun. */
const MOMENTS = 8

/** A run in a sandbox, as far as it computed there. */
export interface Computing {
  sandbox: string
  /** Own time, epoch ms. */
  own: readonly Interval[]
  /** Core ms, evenly over that. */
  cpuMs: number
  threads: number
  /** Cores that the sandbox has a right to. */
  vcpus: number
}

/** Time in which a sandbox was at work without a pause, or with several runs at once. */
interface Stretch {
  start: number
  end: number
  coreMs: number
  threads: number
  parts: { run: number; ms: number }[]
}

/**
 * How much of its own time each run stood still for its sandbox's share of CPU, or since others in its sandbox computed: what it is expected to be, given
 * all that the sandbox computed before. A sandbox that has just served somebody has used its quota, and so such stops become more with the load.
 * @returns ms, in the order of the runs; of a single run more, or less, than it really was
 */
export function expectedStopsMs(runs: readonly Computing[], cpu: CpuShare): number[] {
  const stops = runs.map(({ cpuMs, threads }) => -cpuMs / threads)
  const bySandbox = new Map<string, number[]>()
  for (const [i, { sandbox }] of runs.entries()) {
    const known = bySandbox.get(sandbox)
    if (known) known.push(i)
    else bySandbox.set(sandbox, [i])
  }
  for (const places of bySandbox.values()) {
    const stretches = stretchesOf(runs, places)
    const { vcpus } = runs[places[0] as number] as Computing
    for (const [s, tookMs] of tookOf(stretches, vcpus, cpu).entries()) {
      const { start, end, parts } = stretches[s] as Stretch
      for (const { run, ms } of parts)
        stops[run] = (stops[run] as number) + (end > start ? (tookMs * ms) / (end - start) : 0)
    }
  }
  return stops
}

function stretchesOf(runs: readonly Computing[], places: readonly number[]): Stretch[] {
  const all = places.flatMap((run) => {
    const { own, cpuMs, threads } = runs[run] as Computing
    const length = own.reduce((sum, [start, end]) => sum + end - start, 0)
    return own.map(([start, end]) => ({
      run,
      start,
      end,
      threads,
      coreMs: length > 0 ? (cpuMs * (end - start)) / length : 0,
    }))
  })
  const stretches: Stretch[] = []
  for (const { run, start, end, coreMs, threads } of all.sort((a, b) => a.start - b.start)) {
    const last = stretches.at(-1)
    const part = { run, ms: end - start }
    if (last && start < last.end) {
      last.end = Math.max(last.end, end)
      last.coreMs += coreMs
      last.threads = Math.max(last.threads, threads)
      last.parts.push(part)
    } else stretches.push({ start, end, coreMs, threads, parts: [part] })
  }
  return stretches
}

/** Mean ms that each stretch takes, one after the other, each when it was recorded to begin, or when the one before has ended. */
function tookOf(stretches: readonly Stretch[], vcpus: number, cpu: CpuShare): number[] {
  if (cpu.kind !== 'quota') return stretches.map(({ coreMs, threads }) => computingMs(coreMs, threads, vcpus, cpu))
  const took = stretches.map(() => 0)
  for (let moment = 0; moment < MOMENTS; moment++) {
    let place = moment
    // The golden ratio spreads any number of moments evenly.
    const quota = new Quota(cpu, () => (++place * 0.6180339887498949 + moment / MOMENTS) % 1)
    const sandbox = new Sandbox(0)
    quota.reset(sandbox, vcpus, stretches[0]?.start ?? 0)
    let now = stretches[0]?.start ?? 0
    for (const [s, { start, coreMs, threads }] of stretches.entries()) {
      const began = Math.max(now, start)
      now = workedUntil(quota, sandbox, coreMs, threads, began)
      took[s] = (took[s] as number) + (now - began) / MOMENTS
    }
  }
  return took
}
