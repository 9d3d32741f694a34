import { awsLambdaX86 } from 'fusionize/prices'
import { type Cost, totalOf } from '../measure/cost.js'
import { bootstrap, mean, percentiles } from '../statistics/bootstrap.js'
import { seededRandom } from '../statistics/random.js'
import type { RequestTrace } from '../traces/types.js'
import type { Estimate } from '../types.js'
import { type Assumption, variants } from './basis.js'
import { graphOf, nested } from './nest.js'
import { priceOf } from './prices.js'
import { type Replayed, type ReplayedInvocation, replay } from './replay.js'
import { routesOf } from './routes.js'
import { type Load, startShares, thinningOf } from './starts.js'
import { type Times, timesOf } from './times.js'
import { type Node, type Tree, treeOf } from './tree.js'
import type { ModelSetup, PredictedFigures, PredictOptions } from './types.js'

/** Fewer traces than this make intervals that are too narrow. */
const FEW_TRACES = 30

/**
 * What a setup would do under the load of recorded traces: each trace is run again under it (`replay`), once to see how long sandboxes would be busy
 * and so which invocations would start one, then with these start-ups. Pure; the same seed gives the same figures.
 * @param traces of one setup, in order of arrival
 * @throws RangeError without traces, or when the memory of a function is neither in the setup nor in the traces
 */
export function predict(
  traces: readonly RequestTrace[],
  setup: ModelSetup,
  options: PredictOptions = {},
): PredictedFigures {
  return predictorOf(traces, options)(setup)
}

/** `predict` for many setups: what does not depend on the setup is worked out once. @throws RangeError as `predict` */
export function predictorOf(
  traces: readonly RequestTrace[],
  options: PredictOptions = {},
): (setup: ModelSetup) => PredictedFigures {
  if (traces.length === 0) throw new RangeError('there are no traces to predict from')
  const { seed = 1 } = options
  const trees = traces.map(treeOf)
  const graph = graphOf(traces)
  const sets = [trees, ...(options.also ?? []).map((set) => set.map((trace) => treeOf(nested(trace, graph))))]
  const initMs = initsOf(sets.flat())
  const starts = options.startUps === 'recorded' ? undefined : startsOf(trees)
  const known = new Map<string, Times>()
  const timesFor = (assumption: Assumption): Times => {
    const key = JSON.stringify(assumption)
    const times = known.get(key) ?? timesOf(sets, options, assumption)
    known.set(key, times)
    return times
  }
  const figuresFor = (setup: ModelSetup, times: Times): PredictedFigures => {
    times.assumed.clear()
    times.open.clear()
    const routes = routesOf(setup)
    const run = (isCold: (fn: string, node: Node) => boolean): Replayed[] => {
      const random = seededRandom(seed)
      return trees.map((tree) => replay(tree, { routes, times, options, isCold, initMs, random }))
    }
    const first = run((_, node) => node.cold)
    return figuresOf(starts ? run(starts(first, seed)) : first, options, reasonsOf(trees, times.assumed))
  }
  return (setup) => {
    const times = timesFor({})
    const figures = figuresFor(setup, times)
    if (options.resamples === 0) return figures
    const others = [...times.open].flatMap((doubt) => variants[doubt])
    return others.map((assumption) => figuresFor(setup, timesFor(assumption))).reduce(widened, figures)
  }
}

/** Intervals that also cover what another assumption says. */
function widened(figures: PredictedFigures, other: PredictedFigures): PredictedFigures {
  const cover = (a: Estimate, { value }: Estimate): Estimate => ({
    ...a,
    low: Math.min(a.low, value),
    high: Math.max(a.high, value),
  })
  return {
    ...figures,
    p50Ms: cover(figures.p50Ms, other.p50Ms),
    p95Ms: cover(figures.p95Ms, other.p95Ms),
    p99Ms: cover(figures.p99Ms, other.p99Ms),
    costPerMillionUsd: cover(figures.costPerMillionUsd, other.costPerMillionUsd),
  }
}

function figuresOf(replayed: readonly Replayed[], options: PredictOptions, reasons: string[]): PredictedFigures {
  const { prices = awsLambdaX86, seed = 1, resamples = 1000 } = options
  const costs = replayed.map(({ invocations }) => {
    const sum: Cost = { compute: 0, requests: 0, startup: 0, gateway: prices.perGatewayRequest }
    for (const { memoryMb, billedMs, initMs } of invocations) {
      const cost = priceOf(prices, memoryMb, billedMs, initMs)
      sum.compute += cost.compute
      sum.requests += cost.requests
      sum.startup += cost.startup
    }
    return sum
  })
  const latenciesMs = replayed.map(({ latencyMs }) => latencyMs)
  const costsUsd = costs.map(totalOf)
  const [p50Ms, p95Ms, p99Ms] = percentiles(latenciesMs, [0.5, 0.95, 0.99], { seed, resamples })
  if (!p50Ms || !p95Ms || !p99Ms) throw new RangeError('a percentile is missing')
  const invocations = replayed.flatMap((one) => one.invocations)
  const part = (name: keyof Cost) => mean(costs.map((cost) => cost[name])) * 1e6
  return {
    p50Ms,
    p95Ms,
    p99Ms,
    costPerMillionUsd: bootstrap(
      costsUsd.map((usd) => usd * 1e6),
      mean,
      { seed, resamples },
    ),
    cost: { compute: part('compute'), requests: part('requests'), startup: part('startup'), gateway: part('gateway') },
    coldShare: coldShares(invocations),
    invocationsPerRequest: invocations.length / replayed.length,
    latenciesMs,
    costsUsd,
    reasons,
  }
}

function reasonsOf(trees: readonly Tree[], assumed: ReadonlySet<string>): string[] {
  const reasons = [`${trees.length} recorded requests run again`]
  if (trees.length < FEW_TRACES) reasons.push(`fewer than ${FEW_TRACES} requests: their intervals are too narrow`)
  return [...reasons, ...assumed]
}

/**
 * Which invocations start a sandbox: those that did, fewer or more of them in proportion to what concurrency says of the recorded and of the new
 * setup. Where every sandbox was new (forced cold starts), every one will be.
 */
function startsOf(
  trees: readonly Tree[],
): ((replayed: readonly Replayed[], seed: number) => (fn: string, node: Node) => boolean) | undefined {
  const recorded = new Map<string, { cold: number; n: number }>()
  const busyThen = trees.map(({ arrivalMs, nodes }) =>
    nodes.flatMap((node) => {
      if (!node.isHead) return []
      const count = recorded.get(node.host) ?? { cold: 0, n: 0 }
      recorded.set(node.host, { cold: count.cold + (node.cold ? 1 : 0), n: count.n + 1 })
      const startMs = arrivalMs + node.startMs
      return [{ function: node.host, startMs, endMs: startMs + node.wallMs + node.extraMs }]
    }),
  )
  const shares = new Map([...recorded].map(([fn, { cold, n }]) => [fn, cold / n]))
  if ([...shares.values()].every((share) => share === 0 || share === 1)) return undefined
  const arrivalMs = trees.map((tree) => tree.arrivalMs)
  const then: Load = { arrivalMs, busy: busyThen }
  const thinning = thinningOf(then, shares)
  const sharesThen = startShares(then, thinning)
  return (replayed, seed) => {
    const busyNow = replayed.map(({ invocations }, i) =>
      invocations.map(({ function: fn, startMs, wallMs }) => {
        const at = (arrivalMs[i] as number) + startMs
        return { function: fn, startMs: at, endMs: at + wallMs }
      }),
    )
    const sharesNow = startShares({ arrivalMs, busy: busyNow }, thinning)
    const chosen = new Map<Node, boolean>()
    // Evenly among those that could be, rather than by chance: few are cold, and which of them would decide too much.
    const phase = seededRandom(seed)()
    const counts = new Map<string, number>()
    const every = (key: string, share: number): boolean => {
      const before = counts.get(key) ?? 0
      counts.set(key, before + 1)
      return Math.floor((before + 1) * share + phase) > Math.floor(before * share + phase)
    }
    return (fn, node) => {
      const known = chosen.get(node)
      if (known !== undefined) return known
      const before = shares.get(node.host) ?? 0
      const now = sharesNow.get(fn) ?? 0
      const modelled = sharesThen.get(node.host) ?? 0
      const share = Math.min(1, modelled > 0 && before > 0 ? (before * now) / modelled : now)
      const stays = node.cold ? Math.min(1, share / before) : Math.max(0, (share - before) / (1 - before))
      const isCold = every(`${fn}\t${node.cold}`, stays)
      chosen.set(node, isCold)
      return isCold
    }
  }
}

/** Mean recorded start-up of a function, ms; of any function where its own was not recorded. */
function initsOf(trees: readonly Tree[]): (fn: string) => number {
  const sums = new Map<string, { ms: number; n: number }>()
  for (const { nodes } of trees)
    for (const node of nodes)
      if (node.isHead && node.initMs > 0)
        for (const key of [node.host, '*']) {
          const sum = sums.get(key) ?? { ms: 0, n: 0 }
          sums.set(key, { ms: sum.ms + node.initMs, n: sum.n + 1 })
        }
  return (fn) => {
    const sum = sums.get(fn) ?? sums.get('*')
    return sum ? sum.ms / sum.n : 0
  }
}

function coldShares(invocations: readonly ReplayedInvocation[]): Record<string, number> {
  const counts: Record<string, [cold: number, n: number]> = {}
  for (const { function: fn, cold } of invocations) {
    const count = counts[fn] ?? [0, 0]
    counts[fn] = [count[0] + (cold ? 1 : 0), count[1] + 1]
  }
  return Object.fromEntries(Object.entries(counts).map(([fn, [cold, n]]) => [fn, cold / n]))
}
