import { coreMsOf, type SizedTime, timeOf, workOf } from '../model/law.js'
import { type Interval, lengthOf, subtract, union } from '../statistics/intervals.js'
import type { RequestTrace } from '../traces/types.js'
import { openOf, type TracedRun } from './traced-structure.js'
import type { Work } from './types.js'

/** Own time of each run: without the time in which calls that it awaits are open. ms */
function ownMs({ trace, run, index }: TracedRun): number {
  const calls = trace.runs.flatMap((other): Interval[] => {
    if (other.parent !== index || (other.mode === 'send' && other.route === 'remote')) return []
    const { startMs, endMs } = openOf(other)
    return [[startMs, endMs]]
  })
  return lengthOf(subtract([run.startMs, run.endMs], union(calls)))
}

const memoryOf = ({ trace, run }: TracedRun) => trace.invocations[run.invocation]?.memoryMb

/**
 * Computing and waiting of each run, in their order. Where CPU was read, computing is that, and waiting what its own time has beyond what so much computing
 * takes at the function's size (model/law.ts). Runs without a reading compute the share that those with one did; where none has one, the share follows from
 * the times at two sizes, and with one size alone all is taken for computing.
 */
export function workOfRuns(runs: readonly TracedRun[], mbPerCore: number): Work['samples'] {
  const seen = runs.map((run) => {
    const [own, memoryMb] = [ownMs(run), memoryOf(run) ?? mbPerCore]
    return { own, memoryMb, most: coreMsOf(own, memoryMb, 1, mbPerCore), cpuMs: run.run.cpuMs }
  })
  const share = computingShare(seen, mbPerCore)
  return seen.map(({ own, memoryMb, most, cpuMs: read }) => {
    const cpuMs = read ?? share * most
    return { cpuMs, waitMs: Math.max(0, own - timeOf({ coreMs: cpuMs, waitMs: 0 }, memoryMb, 1, mbPerCore)) }
  })
}

/**
 * The work of what drives others, with what it computes while it waits for them (reading results, writing inputs), and the mean ms that this took where it was
 * recorded: as much of the hand-overs is its work, which another size of its function changes.
 */
export function workOfDriver(runs: readonly TracedRun[], mbPerCore: number): { work: Work; beneathMs: number } {
  const read = runs.flatMap((run) => {
    const { cpuMs } = run.run
    if (cpuMs === undefined) return []
    const own = ownMs(run)
    const ms = timeOf({ coreMs: cpuMs, waitMs: 0 }, memoryOf(run) ?? mbPerCore, 1, mbPerCore)
    return [{ cpuMs, beneathMs: Math.max(0, ms - own) }]
  })
  const samples = workOfRuns(runs, mbPerCore)
  if (read.length === 0) return { work: { kind: 'work', samples }, beneathMs: 0 }
  const meanMs = sum(read.map(({ cpuMs }) => cpuMs)) / read.length
  // A run without a reading is taken for one of those with.
  const filled = samples.map((sample, i) => (runs[i]?.run.cpuMs === undefined ? { ...sample, cpuMs: meanMs } : sample))
  return {
    work: { kind: 'work', samples: filled },
    beneathMs: sum(read.map(({ beneathMs }) => beneathMs)) / read.length,
  }
}

interface Seen {
  own: number
  memoryMb: number
  /** Computing, if all of it were that. */
  most: number
  cpuMs: number | undefined
}

function computingShare(seen: readonly Seen[], mbPerCore: number): number {
  const read = seen.filter(({ cpuMs }) => cpuMs !== undefined)
  const most = sum(read.map((one) => one.most))
  if (most > 0) return Math.min(1, sum(read.map(({ cpuMs = 0 }) => cpuMs)) / most)
  const means = [...new Set(seen.map(({ memoryMb }) => memoryMb))].map((memoryMb): SizedTime => {
    const times = seen.filter((one) => one.memoryMb === memoryMb).map(({ own }) => own)
    return { memoryMb, ms: sum(times) / times.length }
  })
  const [small, large] = [means.reduce(smaller, means[0]), means.reduce(larger, means[0])]
  if (!small || !large || small === large) return 1
  const { coreMs } = workOf(small, large, 1, mbPerCore)
  const all = coreMsOf(small.ms, small.memoryMb, 1, mbPerCore)
  return all > 0 ? Math.min(1, coreMs / all) : 1
}

/** Ms beyond its own time that a warm remote run's caller waited for it, by run. */
export function handOversOf(runs: readonly TracedRun[]): number[] {
  return runs.flatMap(({ trace, run }) => {
    const invocation = trace.invocations[run.invocation]
    if (run.route !== 'remote' || !run.call || !invocation || isCold(invocation)) return []
    return [Math.max(0, run.call.endMs - run.call.startMs - (run.endMs - run.startMs))]
  })
}

export function isCold({ coldMs, isCold }: RequestTrace['invocations'][number]): boolean {
  return isCold === true || (coldMs !== undefined && coldMs !== null)
}

/** Highest memory that sandboxes of these runs came to, MB; undefined where no trace tells. */
export function peakOf(runs: readonly TracedRun[]): number | undefined {
  const peaks = runs.flatMap(({ trace, run }) => trace.invocations[run.invocation]?.peakMb ?? [])
  return peaks.length === 0 ? undefined : peaks.reduce((a, b) => Math.max(a, b))
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}

const smaller = (a: SizedTime | undefined, b: SizedTime) => (a && a.memoryMb <= b.memoryMb ? a : b)
const larger = (a: SizedTime | undefined, b: SizedTime) => (a && a.memoryMb >= b.memoryMb ? a : b)
