import {
  type InterpolationLaw,
  lambdaStageFacts,
  orion,
  planStages,
  type StageGoal,
  seededRandom,
  type Workflow,
} from '@fusionize/planner'
import type { Bench, BenchContext, Setting } from '../harness.js'
import { InputError } from '../input-error.js'
import { median, quantile } from '../quantile.js'
import { judge, shuffledLevels } from '../sizing/judge.js'
import { leaveOneOut } from '../sizing/leave-one-out.js'
import { type Dag, readDag } from '../sizing/read-dag.js'
import { type ProfiledSizes, readProfile } from '../sizing/read-profile.js'
import { halfOf, workflowOf } from '../sizing/workflow.js'

const setting: Setting = {
  role: 'ours',
  isolation: 'sandbox',
  transport: 'measured times',
  durability: 'none',
  records: 'on',
  wait: 'park',
}

/** What Orion's authors published for their Video Analytics and a P95 of 25 s (PAPERS §2); compared wherever stages have these names. */
const published = { sizesMb: { Split: 1064, Extract: 1064, Classify: 4392 } as Record<string, number>, p95Ms: 25_000 }
const FIDELITY = 0.05
const laws: readonly InterpolationLaw[] = ['linear', 'inverse']
const strategies = ['plan', 'orion', 'published'] as const
type StrategyName = (typeof strategies)[number]
/** Width of plan's bins, as a share of the target: a 50th of Orion's for its own target. */
const BINS_PER_TARGET = 2000
/** How often levels are dealt anew to see what independent stages would come to. */
const DEALS = 20

const bench: Bench = {
  method:
    'sizes chosen from the odd lines of a profile, judged on its even lines; times between measured sizes interpolated percentile by percentile, linearly in MB or in 1/MB; a run judged keeps the ranks ' +
    'of its stages among the runs of its file (independent: ranks dealt anew); with the residual, what end-to-end times have beside their stages is a further stage that no size changes. ' +
    'orion: as BASELINES, its interpolation by the same law; plan: the sizes of least Σ MB × stage ms that keep 98.5% of the target, stages going together as measured on the odd lines',
  unit: 'ms',
  moreIsInFindings: true,
  cases: (options) => {
    const { profile, dag } = read(options)
    return Object.fromEntries(
      rowsOf(profile, dag).map(({ id, strategy }) => [id, { ...setting, role: strategy === 'plan' ? 'ours' : 'peer' }]),
    )
  },
  async run(context) {
    const { profile, dag, goal } = read(context.options)
    for (const assumption of dag.assumed) context.finding(`assumed: ${assumption}`)
    const outcomes = rowsOf(profile, dag).map((row) => runRow(context, row, profile, dag, goal))
    for (const line of summaryOf(outcomes, goal)) context.finding(line)
    for (const line of fidelityOf(profile, dag, goal)) context.finding(line)
    for (const line of leaveOneOut(profile, dag)) context.finding(line)
  },
}
export default bench

interface RowOrder {
  id: string
  strategy: StrategyName
  law: InterpolationLaw
  residual: boolean
}

interface Outcome extends RowOrder {
  sizes: string
  p95Ms: number
  independentP95Ms: number
  mbMs: number
  predictedP95Ms?: number
}

function read(options: Record<string, string>): {
  profile: ProfiledSizes[]
  dag: Dag
  goal: StageGoal & { kind: 'slo' }
} {
  const { profile: dir, p95, dag } = options
  if (!dir) throw new InputError('say where the measured runs are: --profile DIR')
  if (!p95) throw new InputError('say what the 95th percentile may be: --p95 25s')
  const profile = readProfile(dir)
  return { profile, dag: readDag(profile, dag), goal: { kind: 'slo', percentile: 0.95, ms: durationMs(p95) } }
}

function durationMs(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|min)$/.exec(text.trim())
  const ms = Number(found?.[1]) * ({ ms: 1, s: 1000, min: 60_000 }[found?.[2] ?? ''] ?? Number.NaN)
  if (!(ms > 0)) throw new InputError(`--p95 ${text} is no time; write it like 25s or 800ms`)
  return ms
}

function rowsOf(profile: readonly ProfiledSizes[], { sized }: Dag): RowOrder[] {
  const endToEnd = profile.every(({ runs }) => runs.every((run) => run.endToEndMs !== undefined))
  const isPublished = Object.keys(published.sizesMb).sort().join() === [...sized].sort().join()
  return (endToEnd ? [false, true] : [false]).flatMap((residual) =>
    laws.flatMap((law) =>
      strategies
        .filter((strategy) => strategy !== 'published' || isPublished)
        .map((strategy) => ({ id: `${strategy}-${law}${residual ? '-residual' : ''}`, strategy, law, residual })),
    ),
  )
}

function runRow(
  { sample, more, progress }: BenchContext,
  row: RowOrder,
  profile: readonly ProfiledSizes[],
  dag: Dag,
  goal: StageGoal & { kind: 'slo' },
): Outcome {
  progress(row.id)
  const { sizesMb, predictedP95Ms } = choose(row, workflowOf(halfOf(profile, 'odd'), dag, row.residual), goal)
  const even = workflowOf(halfOf(profile, 'even'), dag, row.residual)
  const { runs, mbMs } = judge(even, sizesMb, row.law)
  for (const ms of runs) sample(row.id, ms)
  const random = seededRandom(1)
  const dealt = Array.from({ length: DEALS }, () => p95Of(judge(shuffledLevels(even, random), sizesMb, row.law).runs))
  const outcome = {
    ...row,
    sizes: dag.sized.map((name) => sizesMb[name]).join('/'),
    p95Ms: p95Of(runs),
    independentP95Ms: median(dealt),
    mbMs,
    ...(predictedP95Ms === undefined ? {} : { predictedP95Ms }),
  }
  const { sizes, p95Ms, independentP95Ms } = outcome
  more(row.id, { sizes, sizesMb, mbMs, predictedP95Ms, p95Ms, independentP95Ms, meets: p95Ms <= goal.ms })
  return outcome
}

function choose({ strategy, law }: RowOrder, odd: Workflow, goal: StageGoal & { kind: 'slo' }) {
  if (strategy === 'published') return { sizesMb: published.sizesMb }
  const plan =
    strategy === 'orion'
      ? orion(odd, goal, lambdaStageFacts, { law })
      : planStages(odd, goal, lambdaStageFacts, { law, cost: 'mbMs', binMs: goal.ms / BINS_PER_TARGET })
  const sizesMb = Object.fromEntries(plan.groups.map(({ stages, memoryMb }) => [stages[0] as string, memoryMb]))
  return { sizesMb, predictedP95Ms: plan.predicted.percentileMs }
}

const p95Of = (runs: readonly number[]) => quantile(Float64Array.from(runs).sort(), 0.95)
const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
const percent = (share: number) => `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}%`

/** A table, and where plan stands against the others. */
function summaryOf(outcomes: readonly Outcome[], goal: { ms: number }): string[] {
  const head = ['row', 'sizes, MB', 'predicted p95', 'p95', 'met', 'p95 if independent', 'met', 'Σ GB·s']
  const yes = (ms: number) => (ms <= goal.ms ? 'yes' : 'NO')
  const table = outcomes.map((o) => [
    o.id,
    o.sizes,
    o.predictedP95Ms === undefined ? '–' : seconds(o.predictedP95Ms),
    seconds(o.p95Ms),
    yes(o.p95Ms),
    seconds(o.independentP95Ms),
    yes(o.independentP95Ms),
    (o.mbMs / 1024 / 1000).toFixed(2),
  ])
  const widths = head.map((_, i) => Math.max(...[head, ...table].map((line) => (line[i] as string).length)))
  const lines = [head, ...table].map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd(),
  )
  const verdicts = outcomes
    .filter(({ strategy }) => strategy === 'plan')
    .map((plan) => {
      const others = outcomes.filter((o) => o !== plan && o.law === plan.law && o.residual === plan.residual)
      const against = others.map((o) => {
        const missed = o.p95Ms <= goal.ms ? '' : ', which misses the target'
        return `${percent(plan.mbMs / o.mbMs - 1)} Σ MB × ms against ${o.strategy}${missed}`
      })
      return `${plan.id}: p95 ${seconds(plan.p95Ms)}, target ${seconds(goal.ms)} ${plan.p95Ms <= goal.ms ? 'met' : 'MISSED'}; ${against.join('; ')}`
    })
  return [...lines, ...verdicts]
}

/** What our orion chooses from all lines, where its authors' choice is known. */
function fidelityOf(profile: readonly ProfiledSizes[], dag: Dag, goal: StageGoal & { kind: 'slo' }): string[] {
  const { groups, predicted } = orion(workflowOf(profile, dag, false), goal, lambdaStageFacts)
  const chosen = Object.fromEntries(groups.map(({ stages, memoryMb }) => [stages[0] as string, memoryMb]))
  const words = `orion from all lines: ${dag.sized.map((name) => `${name} ${chosen[name]} MB`).join(', ')}, predicted p95 ${seconds(predicted.percentileMs)}`
  const names = Object.keys(published.sizesMb)
  if (goal.ms !== published.p95Ms || names.some((name) => chosen[name] === undefined)) return [words]
  const within = names.every((name) =>
    name === 'Classify'
      ? Math.abs((chosen[name] as number) / (published.sizesMb[name] as number) - 1) <= FIDELITY
      : (chosen[name] as number) <= (published.sizesMb[name] as number),
  )
  const classify = percent((chosen.Classify as number) / (published.sizesMb.Classify as number) - 1)
  return [
    `${words}; published 1064/1064/4392: Classify ${classify}, ${within ? 'within' : 'NOT within'} ${FIDELITY * 100}% and the others no larger`,
  ]
}
