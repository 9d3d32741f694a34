import type { Interval } from '../statistics/intervals.js'
import { type Demand, waitsForCores } from './recorded-contention.js'
import type { OwnSplit, RecordedRun } from './recorded-script.js'
import { type Computing, expectedStopsMs } from './recorded-stops.js'
import type { SimulatedPlatform } from './types.js'

/** Where runs were recorded. */
export interface RecordingMachine {
  /** How the platform held sandboxes to their share of CPU. */
  cpu: SimulatedPlatform['cpu']
  mbPerCore: number
  /** Of the machine on which everything ran; absent: each sandbox had a machine of its own. */
  nodeCores?: number
}

/** A run, and what its own time was. */
export interface TimedRun extends RecordedRun {
  ownMs: number
  /** Absent where no CPU was read. */
  ownCpuMs: number | undefined
}

/** CPU above own time by this factor is that of several threads. */
const SEVERAL_THREADS = 1.15
/** In less CPU time, what the runtime does beside the task, and as much for each remote call, is too much of it to tell, ms. */
const LEAST_MS_OF_THREADS = 0.5

interface Computed {
  cpuMs: number
  threads: number
}

/**
 * How the own time of every run divides: what it computed, and what it waited for that is neither its quota nor a core of the machine.
 * @param sets of runs that are alike
 */
export function splitOf<Run extends TimedRun>(
  sets: readonly (readonly Run[])[],
  { cpu, mbPerCore, nodeCores = Number.POSITIVE_INFINITY }: RecordingMachine,
): Map<Run, OwnSplit> {
  const computed = new Map(sets.flatMap((runs) => computedBy(runs).map((one, i) => [runs[i] as Run, one] as const)))
  const runs = [...computed.keys()]
  const demands = runs.map((run): Demand => {
    const own = run.own.map(([start, end]): Interval => [run.record.start + start, run.record.start + end])
    return { own, rate: run.ownMs > 0 ? Math.min(1, (computed.get(run) as Computed).cpuMs / run.ownMs) : 0 }
  })
  const forCores = Number.isFinite(nodeCores) ? waitsForCores(demands, nodeCores) : demands.map(() => 0)
  const computing = runs.map((run, i): Computing => {
    const { sandbox, memory } = run.record
    return { sandbox, own: (demands[i] as Demand).own, ...(computed.get(run) as Computed), vcpus: memory / mbPerCore }
  })
  const expected = expectedStopsMs(computing, cpu)
  const stood = new Map(
    runs.map((run, i) => {
      const { cpuMs, threads } = computed.get(run) as Computed
      const beyondMs = Math.max(0, run.ownMs - cpuMs / threads)
      return [run, { beyondMs, stopsMs: (expected[i] as number) + Math.min(beyondMs, forCores[i] as number) }] as const
    }),
  )
  return new Map(
    sets.flatMap((set) => {
      const all = set.map((run) => stood.get(run) as { beyondMs: number; stopsMs: number })
      const [beyondMs, stopsMs] = [sum(all.map((one) => one.beyondMs)), sum(all.map((one) => one.stopsMs))]
      // A stop comes by chance, so nobody can tell a run's from its waiting: each has the share of them that all have.
      const waited = beyondMs > 0 ? Math.max(0, 1 - stopsMs / beyondMs) : 0
      return set.map((run, i) => {
        const waitMs = (all[i]?.beyondMs ?? 0) * waited
        return [run, { ...(computed.get(run) as Computed), waitMs }] as const
      })
    }),
  )
}

/** What runs computed: of those whose CPU time was not read, as much as the one that took as long in which it was. */
function computedBy(runs: readonly TimedRun[]): Computed[] {
  const read = runs.filter((run) => run.ownCpuMs !== undefined).sort((a, b) => a.ownMs - b.ownMs)
  const long = read.filter(isLong)
  const [cpuMs, ownMs] = [sum(long.map(({ ownCpuMs }) => ownCpuMs ?? 0)), sum(long.map((run) => run.ownMs))]
  const usual = ownMs > 0 && cpuMs > SEVERAL_THREADS * ownMs ? Math.ceil(cpuMs / ownMs) : 1
  return runs.map((run) => {
    const alike = run.ownCpuMs === undefined ? read[nearest(read, run.ownMs)] : run
    const readMs = alike?.ownCpuMs ?? 0
    if (!alike || !isLong(alike)) return { cpuMs: Math.min(readMs, run.ownMs), threads: 1 }
    const threads = Math.max(usual, Math.ceil(readMs / Math.max(alike.ownMs, 1e-9) - (SEVERAL_THREADS - 1)))
    return { cpuMs: Math.min(readMs, run.ownMs * threads), threads }
  })
}

/** More than what the runtime does beside the task, for itself and for each call that it hands over. */
function isLong({ ownCpuMs = 0, calls }: TimedRun): boolean {
  return ownCpuMs >= LEAST_MS_OF_THREADS * (1 + calls.filter(({ route }) => route === 'remote').length)
}

/** @param sorted by own time */
function nearest(sorted: readonly TimedRun[], ownMs: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as TimedRun).ownMs < ownMs) low = middle + 1
    else high = middle
  }
  const gap = (i: number) => Math.abs((sorted[i]?.ownMs ?? Number.POSITIVE_INFINITY) - ownMs)
  return gap(low - 1) <= gap(low) ? low - 1 : low
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
