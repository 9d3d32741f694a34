import { stagesOf } from '../../stages/compose.js'
import { type ExecutionPlan, meets, type Passing } from '../../stages/execution-plan.js'
import { type SizedGroup, type StageModel, separateGroups, stageModel } from '../../stages/model.js'
import type { Stage, StageFacts, StageGoal, Workflow } from '../../stages/types.js'
import { bestFirst, startMb } from './grow.js'
import { type StoreFacts, storeFacts } from './store-facts.js'

export type SonicMethod = Exclude<Passing, 'payload'>
export const sonicMethods: readonly SonicMethod[] = ['local', 'direct', 'store']

/** Where the workers of a stage are: on one machine, or spread over all. */
type Place = 'one' | 'all'

export interface SonicOptions {
  store?: StoreFacts
  /** Methods that may be used: one alone makes a fixed method to compare with. @default all */
  methods?: readonly SonicMethod[]
}

/**
 * `sonic` (BASELINES). 1 [abstract] per edge one of `local`, `direct`, `store`; communication-aware placement; regressions. 2 no fusion, no bundles; two or more machines.
 * 3 local: consumers on the producer's machine; bytes / disk; n consumers wait for its cores. 4 direct: Σ bytes / NIC of the producer's machine, shared. 5 store:
 * put once, then parallel gets; operations billed. 6 `sonicRegression`. 7 dynamic programme over (method, place) per stage [memory: Viterbi]: the lowest
 * percentile, or for a budget the highest 1/(latency × cost). 8 `store-facts.ts` [unverified].
 *
 * [ours]: sizes by Orion's best-first search; places are one machine or all of them; the programme goes along the stages in order, and keeps all undominated
 * (latency, cost), so that it is exact for either objective; latency is the stages' percentiles plus the transfers.
 * @throws RangeError with fewer than two machines: placement is void
 */
export function sonic(
  workflow: Workflow,
  goal: StageGoal,
  facts: StageFacts,
  options: SonicOptions = {},
): ExecutionPlan {
  const { store = storeFacts, methods = sonicMethods } = options
  if (store.nodes < 2) throw new RangeError('with fewer than two machines there is nothing for sonic to place')
  const model = stageModel(workflow, facts, { dependence: 'independent' })
  const start = separateGroups(workflow).map((group) => ({ ...group, memoryMb: startMb(model, group) }))
  const { groups } = bestFirst(model, goal, start)
  const paths = programme(model, goal.percentile, groups, store, methods)
  const value = (path: Path) => (goal.kind === 'slo' ? path.ms : path.ms * path.usd)
  const best = paths.reduce((a, b) => (value(b) < value(a) ? b : a))
  const passing = Object.fromEntries(best.steps.map(({ from, to, method }) => [`${from}>${to}`, method]))
  const { mbMs } = model.predict(groups)
  const predicted = { percentileMs: best.ms, costUsd: best.usd, mbMs }
  return {
    strategy: 'sonic',
    groups: groups.map((group) => ({ ...group, concurrency: 1 })),
    passing,
    predicted,
    feasible: meets(goal, predicted),
    reasons: best.steps.map(({ from, to, method, ms, bytes, place }) => ({
      change: `${from} → ${to} ${method}`,
      why: `${(bytes / 1e6).toFixed(3)} MB take ${ms.toFixed(1)} ms so, ${to} on ${place === 'one' ? 'one machine' : 'all machines'}`,
    })),
  }
}

/**
 * Rule 6: time and output size linear in input size, by least squares. @param points from three or more different input sizes
 * @throws RangeError with fewer: a line through two says nothing about its error
 */
export function sonicRegression(points: readonly { x: number; y: number }[]): (x: number) => number {
  const sizes = new Set(points.map(({ x }) => x)).size
  if (sizes < 3) throw new RangeError(`a regression over input sizes needs three of them, not ${sizes}`)
  const mean = (of: (p: { x: number; y: number }) => number) =>
    points.reduce((sum, p) => sum + of(p), 0) / points.length
  const [mx, my] = [mean(({ x }) => x), mean(({ y }) => y)]
  const slope = mean(({ x, y }) => (x - mx) * (y - my)) / mean(({ x }) => (x - mx) ** 2)
  return (x) => my + slope * (x - mx)
}

interface PathStep {
  from: string
  to: string
  method: SonicMethod
  ms: number
  bytes: number
  place: Place
}

interface Path {
  place: Place
  ms: number
  usd: number
  steps: PathStep[]
}

/** Rule 7. */
function programme(
  model: StageModel,
  percentile: number,
  groups: readonly SizedGroup[],
  store: StoreFacts,
  methods: readonly SonicMethod[],
): Path[] {
  const { workflow, facts } = model
  const sized = new Map(groups.map((group) => [group.stages[0] as string, group]))
  const order = stagesOf(workflow.shape).filter((name) => sized.has(name))
  const usdPerMs = (memoryMb: number) => ((memoryMb / 1024) * facts.prices.perGbSecond) / 1000
  const run = (name: string, place: Place): { ms: number; usd: number } => {
    const group = sized.get(name) as SizedGroup
    const { dop } = workflow.stages[name] as Stage
    const wait = wavesOf(dop, group.memoryMb, place, facts, store)
    const meanMs = model.billedMs(group, group.memoryMb)
    return {
      ms: wait * model.percentile(model.stage(group, group.memoryMb), percentile),
      usd: dop * (meanMs * usdPerMs(group.memoryMb) + facts.prices.perRequest),
    }
  }
  const [first, ...rest] = order
  if (first === undefined) return []
  let paths: Path[] = (['one', 'all'] as const).map((place) => ({ place, steps: [], ...run(first, place) }))
  let from = first
  for (const to of rest) {
    const [producer, consumer] = [workflow.stages[from] as Stage, workflow.stages[to] as Stage]
    const [mFrom, mTo] = [sized.get(from)?.memoryMb ?? 0, sized.get(to)?.memoryMb ?? 0]
    // What all consumers take in together: each its share of what was made, or as much as it says.
    const made = producer.dop * (producer.bytesOut ?? 0)
    const bytes = consumer.bytesIn === undefined ? made : consumer.dop * consumer.bytesIn
    paths = undominated(
      paths.flatMap((path) =>
        methods.flatMap((method) =>
          (['one', 'all'] as const)
            // Beside its producer: all on the one machine, or pair by pair.
            .filter(
              (place) =>
                method !== 'local' || (place === path.place && (place === 'one' || producer.dop === consumer.dop)),
            )
            .map((place): Path => {
              const pass = transfer(method, path.place, bytes, producer, consumer, mFrom, mTo, store)
              const next = run(to, place)
              const waited = pass.ms * (consumer.dop * usdPerMs(mTo))
              return {
                place,
                ms: path.ms + pass.ms + next.ms,
                usd: path.usd + pass.usd + waited + next.usd,
                steps: [...path.steps, { from, to, method, ms: pass.ms, bytes, place }],
              }
            }),
        ),
      ),
    )
    from = to
  }
  return paths
}

/** Rules 3 to 5, one edge. */
function transfer(
  method: SonicMethod,
  producers: Place,
  bytes: number,
  producer: Stage,
  consumer: Stage,
  fromMb: number,
  toMb: number,
  store: StoreFacts,
): { ms: number; usd: number } {
  const mb = bytes / 1e6
  const machines = producers === 'one' ? 1 : Math.min(store.nodes, producer.dop)
  if (method === 'local') return { ms: (mb / machines / store.diskMbPerS) * 1000, usd: 0 }
  if (method === 'direct') return { ms: (mb / machines / store.nicMbPerS) * 1000, usd: 0 }
  const rate = (memoryMb: number) => store.storeMbPerS * Math.min(1, memoryMb / store.fullMb)
  // Put once, whoever gets it how often.
  const putMs = store.putMs + ((producer.bytesOut ?? 0) / 1e6 / rate(fromMb)) * 1000
  const getMs = store.getMs + (mb / consumer.dop / rate(toMb)) * 1000
  return { ms: putMs + getMs, usd: producer.dop * store.putUsd + consumer.dop * store.getUsd }
}

/** How many times longer a stage takes because its workers share cores. */
function wavesOf(
  dop: number,
  memoryMb: number,
  place: Place,
  facts: StageFacts,
  { nodes, coresPerNode }: StoreFacts,
): number {
  const wanted = dop * Math.min(facts.maxCores, memoryMb / facts.mbPerCore)
  return Math.max(1, wanted / (coresPerNode * (place === 'one' ? 1 : nodes)))
}

function undominated(paths: readonly Path[]): Path[] {
  return paths.filter(
    (a, i) =>
      !paths.some(
        (b, j) => b.place === a.place && b.ms <= a.ms && b.usd <= a.usd && (b.ms < a.ms || b.usd < a.usd || j < i),
      ),
  )
}
