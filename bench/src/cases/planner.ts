import { type CallPlan, dagOf, type PlanGoal, planCalls } from '@fusionize/planner'
import { awsLambdaX86, lambdaMbPerCore, ratesOf } from 'fusionize/prices'
import type { Bench, Setting } from '../harness.js'
import { drawDag } from '../planner/shapes.js'
import { quantile } from '../quantile.js'

const setting: Setting = {
  role: 'ours',
  isolation: 'sandbox',
  transport: 'none',
  durability: 'none',
  records: 'on',
  wait: 'park',
}

/** DAGs drawn of each size, and seconds within which a plan must be there. */
const sizes = {
  'exact-10': { tasks: 10, dags: 25, withinS: 1 },
  'bounded-100': { tasks: 100, dags: 5, withinS: 10 },
} as const
const QUICK = 1
/** How much slower than the fastest plan a latency bound allows to be, and how much dearer than the cheapest a budget. */
const SLACK = 1.3

/** AWS Lambda x86 (PAPERS §4); the ladder of Fusionize, with a full core and two sizes above it. */
const facts = {
  memoryLadder: [128, 256, 512, 768, 1024, 1536, 1769, 3008],
  mbPerCore: lambdaMbPerCore,
  cpuShareEnforced: true,
  prices: { ...ratesOf(awsLambdaX86), perGatewayRequest: 1e-6 },
}

const bench: Bench = {
  method:
    'DAGs with widths and depths drawn from the production CDFs of Azure Durable Functions (seeds 1 to n), each planned for three goals: least cost within 1.3 × the lowest p95, lowest p95 within 1.3 × the lowest cost, and least median × cost; ' +
    `routes of every call and memory of every function, ${facts.memoryLadder.length} sizes; time of one plan, its model included. Gap: (objective − lower bound) / lower bound, under the model`,
  unit: 's',
  moreIsInFindings: true,
  cases: (options) => Object.fromEntries(casesOf(options).map(([id]) => [id, setting])),
  async run({ options, sample, more, finding, progress }) {
    for (const [id, { tasks, dags, withinS }] of casesOf(options)) {
      const gaps: number[] = []
      const seconds: number[] = []
      for (let seed = 1; seed <= (options.quick === undefined ? dags : QUICK); seed++) {
        progress(`${id} ${seed}`)
        const dag = dagOf(drawDag(tasks, seed))
        for (const goal of goalsFor((g) => planCalls(dag, g, facts))) {
          const start = performance.now()
          const plan = planCalls(dag, goal, facts)
          const s = (performance.now() - start) / 1000
          sample(id, s)
          seconds.push(s)
          gaps.push(plan.gap)
        }
      }
      const sorted = Float64Array.from(gaps).sort()
      const proved = gaps.filter((gap) => gap < 1e-9).length
      const figures = {
        plans: gaps.length,
        provedOptimal: proved,
        gapP50: quantile(sorted, 0.5),
        gapMax: sorted.at(-1),
      }
      more(id, { ...figures, slowestS: Math.max(...seconds), withinS })
      finding(
        `${id}: ${proved} of ${gaps.length} plans proved optimal, gap p50 ${percent(figures.gapP50)}, max ${percent(figures.gapMax ?? 0)}; ` +
          `slowest ${Math.max(...seconds).toFixed(2)} s, ${seconds.filter((s) => s < withinS).length} of ${seconds.length} in < ${withinS} s`,
      )
    }
  },
}
export default bench

const casesOf = ({ only = '' }: Record<string, string>) => Object.entries(sizes).filter(([id]) => id.includes(only))

/** Goals with bounds that bind. */
function goalsFor(plan: (goal: PlanGoal) => CallPlan): PlanGoal[] {
  const fastest = plan({ minimize: 'p95' }).figures
  const cheapest = plan({ minimize: 'cost' }).figures
  return [
    { minimize: 'cost', subjectTo: { p95Ms: SLACK * fastest.p95Ms } },
    { minimize: 'p95', subjectTo: { costPerMillionUsd: SLACK * cheapest.costPerMillionUsd } },
    { minimize: 'balanced' },
  ]
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`
