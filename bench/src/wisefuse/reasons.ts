import { billedMs, type RequestTrace, tracesOfRecords } from '@fusionize/planner'
import type { InvocationRecord } from 'fusionize/record'
import { startUpsOf } from '../load/start-ups.js'
import { quantile } from '../quantile.js'

/** What the records of a row say about why it is as fast and as dear as it is. Per request. */
export interface Why {
  /** Ms in which the entry waited and nothing that it had called was running. */
  handOverMs: number
  /** Ms in which anything but the entry was running. */
  stagesMs: number
  invocations: number
  /** Share of requests with a start-up on the way to their reply. */
  startUps: number
  /** Slowest / median worker of the widest stage; 1 where nothing is parallel. */
  skew: number
  /** MB × s billed. */
  mbSeconds: number
}

export function whyOf(records: readonly InvocationRecord[], requests: number): Why {
  const traces = tracesOfRecords(records)
  const ms = billedMs(records, 1)
  const mean = (of: (trace: RequestTrace) => number) =>
    traces.length === 0 ? Number.NaN : traces.reduce((sum, trace) => sum + of(trace), 0) / traces.length
  return {
    handOverMs: mean((trace) => timesOf(trace).handOverMs),
    stagesMs: mean((trace) => timesOf(trace).stagesMs),
    invocations: records.length / requests,
    startUps: startUpsOf(records, requests).requests,
    skew: mean(skewOf),
    mbSeconds: records.reduce((sum, { memory }, i) => sum + (memory * (ms[i] as number)) / 1000, 0) / requests,
  }
}

type Interval = [from: number, to: number]

function timesOf({ runs }: RequestTrace): { handOverMs: number; stagesMs: number } {
  const waits = runs.flatMap(({ parent, mode, call }): Interval[] =>
    parent === 0 && mode !== 'send' && call ? [[call.startMs, call.endMs]] : [],
  )
  const work = runs.slice(1).map(({ startMs, endMs }): Interval => [startMs, endMs])
  const stagesMs = lengthOf(work)
  return { handOverMs: lengthOf([...waits, ...work]) - stagesMs, stagesMs }
}

/** Of the union. */
function lengthOf(intervals: readonly Interval[]): number {
  let [length, until] = [0, Number.NEGATIVE_INFINITY]
  for (const [from, to] of [...intervals].sort((a, b) => a[0] - b[0])) {
    length += Math.max(0, to - Math.max(from, until))
    until = Math.max(until, to)
  }
  return length
}

function skewOf({ runs }: RequestTrace): number {
  const times = new Map<string, number[]>()
  for (const { task, parent, startMs, endMs } of runs) {
    const key = `${parent} ${task}`
    times.set(key, [...(times.get(key) ?? []), endMs - startMs])
  }
  const widest = [...times.values()].reduce<number[]>((a, b) => (b.length > a.length ? b : a), [])
  if (widest.length < 2) return 1
  const sorted = Float64Array.from(widest).sort()
  return (sorted.at(-1) as number) / Math.max(1e-3, quantile(sorted, 0.5))
}
