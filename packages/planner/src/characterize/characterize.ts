import { type Distribution, emptyDistribution, exact, mergeDistributions, note } from '../statistics/distribution.js'
import type { RequestTrace, TaskRun } from '../traces/types.js'
import { childrenOf, depthOf, doubleBilledOf, stagesOf } from './shape.js'
import type { Characteristics, StageSeen } from './types.js'

/** Stages that are told apart; those of more are in the figures of all, but not by name. */
const MOST_STAGES = 1000

export function emptyCharacteristics(): Characteristics {
  return {
    v: 1,
    requests: 0,
    latencyMs: emptyDistribution(),
    width: emptyDistribution(),
    depth: emptyDistribution(),
    nodes: emptyDistribution(),
    skew: emptyDistribution(),
    payloadBytes: emptyDistribution(),
    startUps: emptyDistribution(),
    startUpMs: emptyDistribution(),
    doubleBilling: emptyDistribution(),
    billed: { ms: 0, doubleMs: 0, knownMs: 0, gbMs: 0, doubleGbMs: 0 },
    stages: {},
    incomplete: 0,
  }
}

/** Adds a request in place. */
export function addRequest(seen: Characteristics, trace: RequestTrace): void {
  const { runs, invocations } = trace
  if (runs.length === 0) return
  const children = childrenOf(trace)
  seen.requests++
  if (trace.missing) seen.incomplete++
  note(seen.latencyMs, latencyOf(trace))
  note(seen.nodes, runs.length)
  note(seen.depth, depthOf(trace, children))
  note(seen.width, addStages(seen, trace, children))
  for (const run of runs)
    if (run.route === 'remote' && (run.bytesIn !== undefined || run.bytesOut !== undefined))
      note(seen.payloadBytes, (run.bytesIn ?? 0) + (run.bytesOut ?? 0))
  const cold = invocations.map(({ coldMs, isCold }) => isCold ?? (coldMs === undefined ? undefined : coldMs !== null))
  if (cold.every((known) => known !== undefined)) note(seen.startUps, cold.filter(Boolean).length)
  for (const { coldMs } of invocations) if (typeof coldMs === 'number') note(seen.startUpMs, coldMs)
  addDoubleBilling(seen, trace, children)
}

/** Ms from the arrival to the reply. */
export function latencyOf({ runs }: RequestTrace): number {
  return (runs[0] as TaskRun).endMs
}

/** @returns the runs of the widest stage */
function addStages(seen: Characteristics, trace: RequestTrace, children: readonly number[][]): number {
  const { runs } = trace
  let width = 1
  for (const [at, list] of children.entries())
    for (const stage of stagesOf(trace, list)) {
      width = Math.max(width, stage.length)
      if (stage.length > 1) addStage(seen, trace, runs[at]?.task ?? '(request)', stage)
    }
  return width
}

function addStage(seen: Characteristics, { runs }: RequestTrace, from: string, stage: readonly number[]): void {
  const byTask = new Map<string, number[]>()
  for (const i of stage) {
    const { task, startMs, endMs } = runs[i] as TaskRun
    const times = byTask.get(task)
    if (times) times.push(endMs - startMs)
    else byTask.set(task, [endMs - startMs])
  }
  for (const [to, times] of byTask) {
    if (times.length < 2) continue
    const ratio = skewOf(times)
    note(seen.skew, ratio)
    const key = `${from}>${to}`
    if (!Object.hasOwn(seen.stages, key)) {
      if (Object.keys(seen.stages).length >= MOST_STAGES) continue
      seen.stages[key] = emptyStage(from, to)
    }
    const found = seen.stages[key] as StageSeen
    found.requests++
    note(found.workers, times.length)
    note(found.skew, ratio)
    addPairs(found.pairs, times)
  }
}

function emptyStage(from: string, to: string): StageSeen {
  return {
    from,
    to,
    requests: 0,
    workers: emptyDistribution(),
    skew: emptyDistribution(),
    pairs: { n: 0, x: 0, xx: 0, xy: 0 },
  }
}

/** Slowest / median worker (METRICS). */
function skewOf(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (sorted.length - 1) / 2
  const median = ((sorted[Math.floor(at)] as number) + (sorted[Math.ceil(at)] as number)) / 2
  return median > 0 ? (sorted.at(-1) as number) / median : 1
}

function addPairs(pairs: StageSeen['pairs'], times: readonly number[]): void {
  const sum = times.reduce((a, b) => a + b, 0)
  const squares = times.reduce((a, b) => a + b * b, 0)
  const others = times.length - 1
  pairs.n += times.length * others
  pairs.x += exact(others * sum)
  pairs.xx += exact(others * squares)
  pairs.xy += exact(sum * sum - squares)
}

/**
 * Correlation of the times of two workers of one request (Pearson, over all ordered pairs): 0 when they are independent, 1 when one tells the
 * other (WiseFuse, PAPERS §2: what bundling and the latency of a stage depend on).
 * @returns NaN when there are no pairs or no differences
 */
export function correlationOf({ pairs: { n, x, xx, xy } }: StageSeen): number {
  const mean = x / n
  const variance = xx / n - mean * mean
  // Sums of squares cancel: below a millionth of them there is nothing but rounding.
  if (!(variance > (1e-9 * xx) / n)) return Number.NaN
  return Math.max(-1, Math.min(1, (xy / n - mean * mean) / variance))
}

function addDoubleBilling(seen: Characteristics, trace: RequestTrace, children: readonly number[][]): void {
  let [billedMs, doubleMs] = [0, 0]
  for (const [k, double] of doubleBilledOf(trace, children).entries()) {
    const { startMs, endMs, billedMs: billed, memoryMb } = trace.invocations[k] as RequestTrace['invocations'][number]
    const ms = billed ?? endMs - startMs
    billedMs += ms
    seen.billed.ms += exact(ms)
    doubleMs += Math.min(double, ms)
    if (memoryMb === undefined) continue
    seen.billed.knownMs += exact(ms)
    seen.billed.gbMs += exact((ms * memoryMb) / 1024)
    seen.billed.doubleGbMs += exact((Math.min(double, ms) * memoryMb) / 1024)
  }
  seen.billed.doubleMs += exact(doubleMs)
  if (billedMs > 0) note(seen.doubleBilling, doubleMs / billedMs)
}

/** The share of all billed time that is double billing: in GB·s where memory is known of everything (METRICS), else in time. */
export function doubleBillingShareOf({ billed }: Characteristics): { share: number; unit: 'GB·s' | 's' } {
  if (billed.ms > 0 && billed.knownMs === billed.ms) return { share: billed.doubleGbMs / billed.gbMs, unit: 'GB·s' }
  return { share: billed.ms > 0 ? billed.doubleMs / billed.ms : 0, unit: 's' }
}

/** Both together; the same as adding all requests to one, whatever the order. */
export function mergeCharacteristics(a: Characteristics, b: Characteristics): Characteristics {
  const distributions = Object.fromEntries(
    (
      [
        'latencyMs',
        'width',
        'depth',
        'nodes',
        'skew',
        'payloadBytes',
        'startUps',
        'startUpMs',
        'doubleBilling',
      ] as const
    ).map((name) => [name, mergeDistributions(a[name], b[name])]),
  ) as Record<'latencyMs', Distribution>
  const stages = { ...a.stages }
  for (const [key, stage] of Object.entries(b.stages)) {
    const other = stages[key]
    if (other) stages[key] = mergeStages(other, stage)
    else if (Object.keys(stages).length < MOST_STAGES) stages[key] = stage
  }
  return {
    ...emptyCharacteristics(),
    ...distributions,
    requests: a.requests + b.requests,
    billed: {
      ms: a.billed.ms + b.billed.ms,
      doubleMs: a.billed.doubleMs + b.billed.doubleMs,
      knownMs: a.billed.knownMs + b.billed.knownMs,
      gbMs: a.billed.gbMs + b.billed.gbMs,
      doubleGbMs: a.billed.doubleGbMs + b.billed.doubleGbMs,
    },
    stages,
    incomplete: a.incomplete + b.incomplete,
  }
}

function mergeStages(a: StageSeen, b: StageSeen): StageSeen {
  return {
    ...a,
    requests: a.requests + b.requests,
    workers: mergeDistributions(a.workers, b.workers),
    skew: mergeDistributions(a.skew, b.skew),
    pairs: {
      n: a.pairs.n + b.pairs.n,
      x: a.pairs.x + b.pairs.x,
      xx: a.pairs.xx + b.pairs.xx,
      xy: a.pairs.xy + b.pairs.xy,
    },
  }
}
