import type { Interval } from '../statistics/intervals.js'

/** Share of a machine's cores from which on what runs waits for a core: what the platform and the system compute is not in records. */
const FULL = 0.8

/** What ran on a machine, and when. */
export interface Demand {
  /** Own time, epoch ms. */
  own: readonly Interval[]
  /** CPU ms per ms of it. */
  rate: number
}

/**
 * How much of its own time each run waited for a core: while all that ran computed as much as the machine has cores, all of it that was not computing.
 * @param cores of the machine
 * @returns ms, in the order of the runs
 */
export function waitsForCores(runs: readonly Demand[], cores: number): number[] {
  const edges = runs
    .flatMap(({ own, rate }, run) =>
      own.flatMap(([start, end]) => [
        { at: start, run, rate, sign: 1 },
        { at: end, run, rate, sign: -1 },
      ]),
    )
    .sort((a, b) => a.at - b.at)
  const waits = runs.map(() => 0)
  let [demand, full, last] = [0, 0, 0]
  for (const { at, run, rate, sign } of edges) {
    if (demand >= FULL * cores) full += at - last
    last = at
    demand += sign * rate
    // The machine's full time between a stretch's ends is the difference of two readings.
    waits[run] = (waits[run] as number) - sign * full
  }
  return waits.map((ms, i) => Math.max(0, ms * (1 - (runs[i] as Demand).rate)))
}
