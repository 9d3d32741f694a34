import type { Mode, Route } from 'fusionize/setup'
import { meanEstimate, quantileEstimate, shareEstimate } from '../statistics/confidence.js'
import { correlationEstimate, lineEstimate } from '../statistics/pairs.js'
import type { Estimate } from '../types.js'
import type { EdgeProfile, FunctionProfile, Profile, TaskProfile } from './types.js'

/** Bytes in a MB here. */
const MB = 1e6

/** Own time of a task at one size. Times in ms, with 95% intervals. */
export interface OwnTimeFigures {
  task: string
  memoryMb: number
  runs: number
  /** Median and mean own time. */
  p50Ms: Estimate
  meanMs: Estimate
  /** Of runs whose CPU was sampled, by threads busy: mean CPU of all threads, and mean own time that was no computing. Empty: none was sampled. */
  split: { threads: number; cpuMs: Estimate; waitMs: Estimate }[]
}

/** Calls along one edge by one route. */
export interface CallFigures {
  from: string
  to: string
  mode: Mode
  route: Route
  calls: number
  /** Share of the calls during which the caller had another one open. */
  parallelShare: Estimate
  /**
   * Other calls in the same stretch of open ones: share of the calls that had such a one beside them, and the rank correlation of the two's times (absent:
   * too few pairs, no differences, or told at the other edge).
   */
  beside: { mode: Mode; task: string; share: Estimate; correlation?: Estimate }[]
  /** Mean size, as JSON text or bytes. */
  bytesIn: Estimate
  bytesOut: Estimate
  handOvers: HandOverFigures[]
}

/** Hand-over cost at one size of the caller. */
export interface HandOverFigures {
  memoryMb: number
  p50Ms: Estimate
  /** As a line over the bytes handed over: ms without any, and ms more per MB (1e6 bytes); absent where sizes do not differ or are too few. */
  atZeroMs?: Estimate
  perMbMs?: Estimate
}

/** Start-ups at one memory size. */
export interface StartUpFigures {
  memoryMb: number
  byFunction: { function: string; p50Ms: Estimate; share: Estimate }[]
  /** As a line over the size of the functions' code: ms without any, and ms more per MB (1e6 bytes); absent where sizes do not differ or are not known. */
  atZeroMs?: Estimate
  perMbMs?: Estimate
}

/** What a profile says, every figure with its 95% interval and the cases behind it (`n`). */
export interface ProfileFigures {
  requests: number
  ownTimes: OwnTimeFigures[]
  calls: CallFigures[]
  startUps: StartUpFigures[]
}

/** The figures of a profile: times in means and medians, correlations and costs, each with its confidence. */
export function profileFigures(profile: Profile): ProfileFigures {
  return {
    requests: profile.requests,
    ownTimes: byName(profile.tasks).flatMap(([task, seen]) => ownTimesOf(task, seen)),
    calls: byName(profile.edges).map(([, edge]) => callFiguresOf(edge)),
    startUps: startUpsOf(profile),
  }
}

function ownTimesOf(task: string, { sizes }: TaskProfile): OwnTimeFigures[] {
  return bySize(sizes).map(([memoryMb, { ownMs, runs, threads = {} }]) => ({
    task,
    memoryMb,
    runs,
    p50Ms: known(quantileEstimate(ownMs, 0.5)),
    meanMs: known(meanEstimate(ownMs)),
    split: bySize(threads).map(([busy, { cpuMs, waitMs }]) => ({
      threads: busy,
      cpuMs: known(meanEstimate(cpuMs)),
      waitMs: known(meanEstimate(waitMs)),
    })),
  }))
}

function callFiguresOf(edge: EdgeProfile): CallFigures {
  const { beside, bytesIn, bytesOut, calls, from, handOver, mode, overheadMs, parallel, route, to, together } = edge
  return {
    from,
    to,
    mode,
    route,
    calls,
    parallelShare: known(shareEstimate(parallel, calls)),
    beside: byName(beside).map(([target, times]) => {
      const gap = target.indexOf(' ')
      const pairs = together?.[target]
      const correlation = pairs && correlationEstimate(pairs)
      return {
        mode: target.slice(0, gap) as Mode,
        task: target.slice(gap + 1),
        share: known(shareEstimate(times, calls)),
        ...(correlation && { correlation }),
      }
    }),
    bytesIn: known(meanEstimate(bytesIn)),
    bytesOut: known(meanEstimate(bytesOut)),
    handOvers: bySize(overheadMs).map(([memoryMb, ms]) => ({
      memoryMb,
      p50Ms: known(quantileEstimate(ms, 0.5)),
      ...lineOver(handOver?.[memoryMb]),
    })),
  }
}

function startUpsOf({ functions, startUps = {} }: Profile): StartUpFigures[] {
  const sizes = new Map<number, FunctionProfile[]>()
  for (const [, seen] of byName(functions))
    if (seen.coldStarts > 0) sizes.set(seen.memory, [...(sizes.get(seen.memory) ?? []), seen])
  return [...sizes]
    .sort(([a], [b]) => a - b)
    .map(([memoryMb, all]) => ({
      memoryMb,
      byFunction: all.map(({ coldMs, coldStarts, function: name, invocations }) => ({
        function: name,
        p50Ms: known(quantileEstimate(coldMs, 0.5)),
        share: known(shareEstimate(coldStarts, invocations)),
      })),
      ...lineOver(startUps[memoryMb]),
    }))
}

function lineOver(pairs: Parameters<typeof lineEstimate>[0] | undefined) {
  const line = pairs && lineEstimate(pairs)
  if (!line) return {}
  const { high, low, n, value } = line.slope
  return { atZeroMs: line.atZero, perMbMs: { value: value * MB, low: low * MB, high: high * MB, n } }
}

/** What is noted is there: an entry of a profile holds at least one case. */
function known(estimate: Estimate | undefined): Estimate {
  return estimate ?? { value: Number.NaN, low: Number.NaN, high: Number.NaN, n: 0 }
}

function byName<T>(map: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))
}

function bySize<T>(map: Readonly<Record<string, T>>): [number, T][] {
  return Object.entries(map)
    .map(([key, value]): [number, T] => [Number(key), value])
    .sort(([a], [b]) => a - b)
}
