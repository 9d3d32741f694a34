import { type Interval, lengthOf, subtractAll, union } from '../statistics/intervals.js'

/** Where an invocation is at work, and where it waits for others, ms since the request's arrival. */
export interface Clock {
  work: Interval[]
  waits: Interval[]
}

/**
 * What a run calls inline side by side computes in turn, in the order of the calls: none ends before those before it have computed, but for what of one
 * quota may be left. What was inline side by side when it was recorded took what it took.
 * @returns gives the end of the next call, ms from the run's start
 */
export function turns(
  restedMs: number,
  together: boolean,
): (at: number, end: number, loadMs: number, isNew: boolean) => number {
  let [from, load, reach, anyNew] = [0, 0, Number.NEGATIVE_INFINITY, false]
  return (at, end, loadMs, isNew) => {
    if (at >= reach) [from, load, reach, anyNew] = [at, 0, Number.NEGATIVE_INFINITY, false]
    anyNew ||= isNew
    load += loadMs
    if (together) from = Math.max(from, end - loadMs)
    const ended = anyNew && load > loadMs ? Math.max(end, from + load - restedMs) : end
    reach = Math.max(reach, ended)
    return ended
  }
}

/** Cores that the items of a map keep busy together: their pool has a thread for each, the last one in part (docs/reference/maps.md). */
export function poolWidth(memoryMb: number, mbPerCore: number): number {
  return Math.max(1, memoryMb / mbPerCore)
}

export function emptyClock(): Clock {
  return { work: [], waits: [] }
}

/** What side by side computes in one sandbox does so in turn: it fills as much more of the waiting. */
export function waitsOf({ work, waits }: Clock, loadMs: number): number {
  if (waits.length === 0) return 0
  const together = union(work)
  const allMs = lengthOf(work)
  const inTurnMs = allMs > 0 ? loadMs * (1 - lengthOf(together) / allMs) : 0
  return Math.max(0, lengthOf(subtractAll(union(waits), together)) - inTurnMs)
}
