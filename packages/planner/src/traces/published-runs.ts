import type { PublishedCall, PublishedRecord } from './published-record.js'

/** One invocation of a function, after what the export had merged and doubled is told apart. */
export interface PublishedRun {
  function: string
  memoryMb: number
  isRoot: boolean
  isCold: boolean
  startMs: number
  wallMs: number
  billedMs: number
  /** The task alone, without its handler. */
  taskMs: number
  timedOut: boolean
  calls: PublishedCall[]
}

/**
 * The invocations behind the records of one trace. The export wrote two invocations of one function in one trace as one record (with the calls
 * of both, the earliest start, the last end), sometimes beside the records of either; and in some files it wrote every call twice.
 * @param doubled see `doubledCalls`
 * @param repaired counts what was put right, by what it was
 */
export function runsOfTrace(
  records: readonly PublishedRecord[],
  doubled: ReadonlyMap<string, number>,
  repaired: Map<string, number>,
): PublishedRun[] {
  const byFunction = new Map<string, PublishedRecord[]>()
  for (const record of records) {
    const times = doubled.get(record.function) ?? 1
    if (times > 1) count(repaired, 'calls written more than once: counted once')
    const single = times > 1 ? { ...record, ...undoubled(record, times) } : record
    const list = byFunction.get(record.function)
    if (list) list.push(single)
    else byFunction.set(record.function, [single])
  }
  return [...byFunction.values()].flatMap((list) => separate(list, repaired))
}

/** Of the records of a function that can tell, so many must agree that its calls were written more than once. */
const AGREE = 0.9

/**
 * How often every call was written in the records of a function of one file, for those where that is more than once. A record's runs tell, where their
 * times differ (equal ones may be as many runs), and the root's, which runs once: how often each time is there has a common divisor. If roots are
 * written so, functions that cannot tell are too.
 */
export function doubledCalls(records: readonly PublishedRecord[]): Map<string, number> {
  const seen = new Map<string, number[]>()
  const roots: number[] = []
  for (const { function: fn, runsMs, isRoot } of records) {
    const divisors = seen.get(fn) ?? []
    seen.set(fn, divisors)
    const counts = new Map<number, number>()
    for (const ms of runsMs) counts.set(ms, (counts.get(ms) ?? 0) + 1)
    if (counts.size < 2 && !isRoot) continue
    const divisor = [...counts.values()].reduce(greatestDivisor, 0)
    divisors.push(divisor)
    if (isRoot) roots.push(divisor)
  }
  const ofRoots = agreed(roots)
  const doubled = new Map<string, number>()
  for (const [fn, divisors] of seen) {
    const times = divisors.length > 0 ? agreed(divisors) : ofRoots
    if (times > 1) doubled.set(fn, times)
  }
  return doubled
}

function agreed(divisors: readonly number[]): number {
  const least = divisors.filter((d) => d > 1).sort((a, b) => a - b)[0]
  if (least === undefined) return 1
  return divisors.filter((d) => d % least === 0).length >= AGREE * divisors.length ? least : 1
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}

function undoubled({ calls, runsMs }: PublishedRecord, times: number) {
  return {
    calls: everyNth(calls, times, ({ called, local, sync, ms }) => `${called} ${local} ${sync} ${ms}`),
    runsMs: everyNth(runsMs, times, String),
  }
}

function everyNth<T>(items: readonly T[], times: number, keyOf: (item: T) => string): T[] {
  const seen = new Map<string, number>()
  return items.filter((item) => {
    const before = seen.get(keyOf(item)) ?? 0
    seen.set(keyOf(item), before + 1)
    return before % times === 0
  })
}

function separate(records: readonly PublishedRecord[], repaired: Map<string, number>): PublishedRun[] {
  const runs: PublishedRun[] = []
  const found = new Map<number, number>()
  // A run that has a record of its own is known best from there.
  for (const record of [...records].sort((a, b) => a.runsMs.length - b.runsMs.length)) {
    const here = new Map<number, number>()
    const missing = record.runsMs.flatMap((ms, i) => {
      here.set(ms, (here.get(ms) ?? 0) + 1)
      return (here.get(ms) as number) > (found.get(ms) ?? 0) ? [i] : []
    })
    if (missing.length < record.runsMs.length) count(repaired, 'the same invocation in two records: counted once')
    else if (record.runsMs.length > 1) count(repaired, 'invocations merged into one record: told apart')
    for (const i of missing) runs.push(runOf(record, i))
    for (const [ms, times] of here) found.set(ms, Math.max(times, found.get(ms) ?? 0))
  }
  return runs.sort((a, b) => a.startMs - b.startMs)
}

function runOf(record: PublishedRecord, i: number): PublishedRun {
  const { runsMs, calls } = record
  const base = {
    function: record.function,
    memoryMb: record.memoryMb,
    isRoot: record.isRoot,
    isCold: record.isCold,
    timedOut: record.timedOut,
  }
  const taskMs = runsMs[i] as number
  const n = runsMs.length
  if (n === 1)
    return { ...base, startMs: record.startMs, wallMs: record.wallMs, billedMs: record.billedMs, taskMs, calls }
  // What was billed is the first run's; the handler around the others takes as long.
  const wallMs = taskMs + Math.max(0, record.billedMs - (runsMs[0] as number))
  const lastStart = Math.max(record.startMs, record.startMs + record.wallMs - wallMs)
  return {
    ...base,
    startMs: record.startMs + ((lastStart - record.startMs) * i) / (n - 1),
    wallMs,
    billedMs: wallMs,
    taskMs,
    calls: dealt(calls, i, n),
  }
}

/** The i-th of n runs that made the same calls gets the i-th call of each kind, and so on. */
function dealt(calls: readonly PublishedCall[], i: number, n: number): PublishedCall[] {
  const seen = new Map<string, number>()
  return calls.filter(({ called, sync }) => {
    const key = `${called} ${sync}`
    const before = seen.get(key) ?? 0
    seen.set(key, before + 1)
    return before % n === i
  })
}

/** What a call is to its function: calls with the same key play the same part. */
export function callKey({ called, sync }: { called: string; sync: boolean }): string {
  return `${called} ${sync ? 'call' : 'send'}`
}

export function count(counts: Map<string, number>, what: string, times = 1): void {
  counts.set(what, (counts.get(what) ?? 0) + times)
}
