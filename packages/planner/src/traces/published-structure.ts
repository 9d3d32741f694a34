/** A call in order of completion. */
export interface TimedCall {
  /** Callee and mode: calls with the same key play the same part. */
  key: string
  ms: number
  /** When its callee ran, if that is known: ms on any clock that all calls of the run share. */
  callee?: { startMs: number; endMs: number }
  /** The run waited for its result. */
  sync?: boolean
}

/** One run of a task: how long it took, and its calls. */
export interface TimedRun {
  ms: number
  calls: readonly TimedCall[]
}

/** More different calls than this are put in stages one boundary at a time. */
const EXHAUSTIVE = 10
/** What a run may seem to have slept through its own calls: clocks round to ms. */
const SLACK_MS = 3
const SLACK_SHARE = 0.03
/** Ms by which clocks of two machines may differ. */
const CLOCKS_MS = 5
/** So many of the runs may contradict a structure. */
const CONTRADICTED = 0.1

/**
 * Which calls of a task follow each other and which overlap, though records tell neither: of all orders of stages (calls in one stage begin
 * together, a stage begins when the one before it ended), the one that best explains how long the runs took, that is, which leaves the least
 * spread in what remains as the task's own time; among equals, the one that leaves the least. A stage order that makes runs shorter than their
 * calls is none, nor is one in which a callee ran before the call that its call waited for had been answered.
 * @returns per key its stage, from 0
 */
export function stagesOf(runs: readonly TimedRun[]): Map<string, number> {
  const keys = keysByCompletion(runs)
  const known = runs.filter((run) => run.calls.length > 0)
  if (keys.length === 0) return new Map()
  const spans = known.map((run) => ({ ms: run.ms, longest: longestByKey(run) }))
  const overlapping = overlaps(known, keys)
  const judge = (boundaries: readonly boolean[]) =>
    separates(overlapping, boundaries) ? NONE : unexplained(spans, keys, boundaries)
  let best = keys.slice(1).map(() => false)
  let score = judge(best)
  const consider = (boundaries: boolean[]): boolean => {
    const found = judge(boundaries)
    if (!isBetter(found, score)) return false
    best = boundaries
    score = found
    return true
  }
  if (keys.length <= EXHAUSTIVE) {
    for (let bits = 1; bits < 2 ** (keys.length - 1); bits++) consider(best.map((_, i) => (bits & (1 << i)) !== 0))
  } else {
    for (let improved = true; improved; )
      improved = best.some((_, i) => consider(best.map((old, k) => (k === i ? !old : old))))
  }
  let stage = 0
  return new Map(keys.map((key, i) => [key, i > 0 && best[i - 1] ? ++stage : stage]))
}

interface Score {
  spreadMs: number
  levelMs: number
}

const NONE: Score = { spreadMs: Number.POSITIVE_INFINITY, levelMs: Number.POSITIVE_INFINITY }

/** Spreads that differ by less are the same: then the order that leaves less time unexplained is likelier. */
const SAME = 0.05

function isBetter(a: Score, b: Score): boolean {
  if (a.spreadMs < b.spreadMs * (1 - SAME) - 0.5) return true
  return a.spreadMs <= b.spreadMs * (1 + SAME) + 0.5 && a.levelMs < b.levelMs
}

function unexplained(
  spans: readonly { ms: number; longest: Map<string, number> }[],
  keys: readonly string[],
  boundaries: readonly boolean[],
): Score {
  const rests: number[] = []
  let contradicted = 0
  for (const { ms, longest } of spans) {
    let sum = 0
    let stage = 0
    for (const [i, key] of keys.entries()) {
      if (i > 0 && boundaries[i - 1]) {
        sum += stage
        stage = 0
      }
      stage = Math.max(stage, longest.get(key) ?? 0)
    }
    const rest = ms - sum - stage
    if (rest < -Math.max(SLACK_MS, SLACK_SHARE * ms)) contradicted++
    rests.push(rest)
  }
  if (contradicted > CONTRADICTED * spans.length && boundaries.includes(true)) return NONE
  const level = middle(rests)
  return { spreadMs: middle(rests.map((rest) => Math.abs(rest - level))), levelMs: level }
}

/** Pairs of keys (places in `keys`, ascending) whose callees mostly ran at the same time, or the later before the earlier. */
function overlaps(runs: readonly TimedRun[], keys: readonly string[]): [number, number][] {
  const pairs = new Map<string, { seen: number; overlap: number }>()
  for (const { calls } of runs)
    for (const first of calls)
      for (const second of calls) {
        const [i, j] = [keys.indexOf(first.key), keys.indexOf(second.key)]
        if (i >= j || first.sync === false || !first.callee || !second.callee) continue
        const pair = pairs.get(`${i} ${j}`) ?? { seen: 0, overlap: 0 }
        pair.seen++
        if (second.callee.startMs < first.callee.endMs - CLOCKS_MS) pair.overlap++
        pairs.set(`${i} ${j}`, pair)
      }
  return [...pairs].flatMap(([key, { seen, overlap }]): [number, number][] => {
    const [i = 0, j = 0] = key.split(' ').map(Number)
    return overlap > CONTRADICTED * seen ? [[i, j]] : []
  })
}

function separates(pairs: readonly (readonly [number, number])[], boundaries: readonly boolean[]): boolean {
  return pairs.some(([i, j]) => boundaries.slice(i, j).includes(true))
}

function middle(values: number[]): number {
  const sorted = values.sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}

function longestByKey({ calls }: TimedRun): Map<string, number> {
  const longest = new Map<string, number>()
  for (const { key, ms } of calls) longest.set(key, Math.max(ms, longest.get(key) ?? 0))
  return longest
}

/** Keys by when their calls ended on average, as a share of the run's calls. */
function keysByCompletion(runs: readonly TimedRun[]): string[] {
  const ranks = new Map<string, { sum: number; n: number }>()
  for (const { calls } of runs)
    for (const [i, { key }] of calls.entries()) {
      const rank = ranks.get(key) ?? { sum: 0, n: 0 }
      rank.sum += (i + 1) / calls.length
      rank.n++
      ranks.set(key, rank)
    }
  return [...ranks].sort(([a, x], [b, y]) => x.sum / x.n - y.sum / y.n || (a < b ? -1 : 1)).map(([key]) => key)
}
