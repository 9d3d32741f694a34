import {
  type App,
  type Constraints,
  entryTasks,
  type FunctionSpec,
  type FusionSetup,
  type TaskName,
} from 'fusionize/setup'
import { weightsOf } from '../../goals.js'
import type { PlannerFacts, Reason } from '../../types.js'
import { callsOf, fuse, mayBeInline } from '../fuse.js'
import type { CallDag } from './call-dag.js'
import { dagOfTraces } from './dag-of-traces.js'
import { explain } from './explain.js'
import { overshootOf, type PlanGoal } from './goal.js'
import { limitsOf, type PlanLimits } from './limits.js'
import { type CallPlan, planCalls } from './plan-calls.js'
import { analyticPredictor, type LatencyFigures, type Predictor, type SetupFigures } from './predictor.js'
import { refine } from './refine.js'
import { type Outlook, outlookOf, type Seen } from './seen.js'

export interface PlanContext {
  app: App
  facts: PlannerFacts
  constraints: Constraints
}

/** What was seen of an application, ready to be planned for any goal. */
export interface SeenPlanner {
  /** Entries that requests came to, the busiest first, and their share. */
  entries: readonly { entry: TaskName; share: number }[]
  outlook: Outlook
  /** @param how `quick`: one of many, without proof and reasons */
  plan(goal: PlanGoal, how?: 'quick'): SeenPlan
}

export interface SeenPlan {
  setup: FusionSetup
  /** As the model predicts, running requests again. */
  figures: SetupFigures
  /** Whether the goal's bounds are kept. */
  feasible: boolean
  /**
   * How far the search's plan is from the best that the search's own rules allow (METRICS, optimality gap, predicted); absent where there are several entries:
   * each was searched alone, and they share functions.
   */
  gap?: number
  /** What each decision would come to the other way. */
  reasons: Reason[]
}

/**
 * Plans from requests that were seen: the search over call DAGs (`planCalls`) proposes, requests run again under its proposals judge, and
 * single steps from the best improve on it, as far as constraints allow.
 * @param seen of one or several setups @param anchor the one of them that figures are relative to
 * @throws RangeError when no requests were seen
 */
export function plannerOf({ app, facts, constraints }: PlanContext, seen: readonly Seen[], anchor: Seen): SeenPlanner {
  const entries = entrySharesOf(app, anchor)
  if (entries.length === 0) throw new RangeError(`no requests to '${app.name}' were seen`)
  const inOrder = [anchor, ...seen.filter((one) => one !== anchor)]
  const dags = entries.map(({ entry }) => dagOfTraces(app, entry, inOrder, facts))
  const limits = bucketLimits(app, constraints)
  const outlook = outlookOf(seen, anchor, facts)
  const predictor = withBundles(outlook, dags[0] as CallDag, facts)
  const tasks = dags.flatMap((dag) => Object.values(dag.tasks))
  const calls = new Set(tasks.flatMap((task) => task.calls.map(({ to, mode }) => `${task.name} ${mode} ${to}`)))
  const sizes = facts.cpuShareEnforced
  const fixed = sizes ? facts : { ...facts, memoryLadder: ladderOf(anchor.setup) }
  /** What searches for one goal leave for those for the next. */
  const reuse = dags.map(() => ({ fronts: new Map(), plans: [] }))
  const quickOnes: FusionSetup[] = []
  return {
    entries,
    outlook,
    plan(wanted, how) {
      const goal = sizes ? wanted : withoutCost(wanted)
      const quick = how === 'quick'
      const plans = dags.map((dag, i) => {
        const options = { limits, predictor, proof: !quick, ...(quick && { reuse: reuse[i] }) }
        return planCalls(dag, goalAt(goal, dag.entry), fixed, options)
      })
      const merged = mergedOf(anchor.setup, plans)
      const path = pathOf(app, constraints, facts, merged)
      const starts = quick ? [merged, path, ...quickOnes] : [merged, path, anchor.setup]
      const isSeen = (call: { from: TaskName; to: TaskName; mode: string }) =>
        calls.has(`${call.from} ${call.mode} ${call.to}`)
      const found = refine(starts, { app, constraints, facts, goal, predictor, isSeen, sizes, onlyBest: quick })
      if (quick && found) quickOnes.push(found.setup)
      const { setup, figures } = found ?? { setup: anchor.setup, figures: predictor.predict(anchor.setup) }
      const [only] = plans
      return {
        setup,
        figures,
        feasible: overshootOf(goal, figures) <= 1,
        ...(plans.length === 1 && only && !quick ? { gap: only.gap } : {}),
        reasons: quick ? [] : dags.flatMap((dag) => explain(dag, fixed, setup, figures, predictor)),
      }
    },
  }
}

/** Where the requests that were seen entered. */
function entrySharesOf(app: App, { traces }: Seen): { entry: TaskName; share: number }[] {
  const counts = new Map<TaskName, number>()
  for (const { runs } of traces) {
    const task = runs[0]?.task
    if (task !== undefined) counts.set(task, (counts.get(task) ?? 0) + 1)
  }
  return entryTasks(app)
    .flatMap((entry) => (counts.has(entry) ? [{ entry, share: (counts.get(entry) as number) / traces.length }] : []))
    .sort((a, b) => b.share - a.share)
}

/** An entry alone: its own bounds, where they are tighter than the whole's. */
function goalAt({ minimize, subjectTo = {} }: PlanGoal, entry: TaskName): PlanGoal {
  const { entries = {}, ...whole } = subjectTo
  const own = Object.entries(entries[entry] ?? {}).map(([key, bound]) => [
    key,
    Math.min(bound ?? Number.POSITIVE_INFINITY, whole[key as keyof typeof whole] ?? Number.POSITIVE_INFINITY),
  ])
  return { minimize, subjectTo: { ...whole, ...Object.fromEntries(own) } }
}

/** Where CPU shares are not enforced, no cost is known, and sizes change nothing. */
function withoutCost({ minimize, subjectTo = {} }: PlanGoal): PlanGoal {
  const { costPerMillionUsd: _, ...bounds } = subjectTo
  return { minimize: weightsOf(minimize).percentile, subjectTo: bounds }
}

function ladderOf({ functions }: FusionSetup): number[] {
  return [...new Set(Object.values(functions).map(({ memory }) => memory))].sort((a, b) => a - b)
}

/** Sends that only a bucket makes are inline only where a function may evaluate the bucket. */
function bucketLimits(app: App, constraints: Constraints): PlanLimits {
  const limits = limitsOf(app, constraints)
  const fixed = new Set(
    Object.keys(app.tasks).flatMap((from) => {
      const calls = callsOf(app, from)
      return calls
        .filter(({ to }) => calls.every((call) => call.to !== to || !mayBeInline(app, call)))
        .map(({ to }) => `${from} ${to}`)
    }),
  )
  return { ...limits, mayInline: (from, to) => !fixed.has(`${from} ${to}`) && limits.mayInline(from, to) }
}

/** Plans of several entries as one setup: a function that several have planned is as the busiest wants it; what none has planned stays. */
function mergedOf(base: FusionSetup, plans: readonly CallPlan[]): FusionSetup {
  const functions: Record<TaskName, FunctionSpec> = { ...base.functions }
  for (const { setup } of [...plans].reverse()) Object.assign(functions, setup.functions)
  return { functions }
}

/** Every synchronous call inline, every send remote (PAPERS §1): where Fusionize ends, as a further start. */
function pathOf(app: App, constraints: Constraints, { memoryLadder }: PlannerFacts, sizes: FusionSetup): FusionSetup {
  const memory = (fn: TaskName) => sizes.functions[fn]?.memory ?? memoryLadder[0] ?? 128
  return fuse(app, constraints, memoryLadder, memory, ({ mode }) => mode !== 'send').setup
}

/** Requests are run again item by item: what bundles change is taken from the search's rules. */
function withBundles(predictor: Predictor, dag: CallDag, facts: PlannerFacts): Predictor {
  const rules = analyticPredictor(dag, facts)
  return {
    name: predictor.name,
    predict(setup) {
      const figures = predictor.predict(setup)
      const single = withoutBundles(setup)
      if (single === setup) return figures
      const [bundled, apart] = [rules.predict(setup), rules.predict(single)]
      const by = (key: keyof LatencyFigures | 'meanMs' | 'costPerMillionUsd') =>
        apart[key] > 0 ? bundled[key] / apart[key] : 1
      const latencies = ({ p50Ms, p95Ms, p99Ms }: LatencyFigures): LatencyFigures => ({
        p50Ms: p50Ms * by('p50Ms'),
        p95Ms: p95Ms * by('p95Ms'),
        p99Ms: p99Ms * by('p99Ms'),
      })
      const entries = Object.entries(figures.entries ?? {}).map(([entry, own]) => [entry, latencies(own)])
      return {
        ...latencies(figures),
        meanMs: figures.meanMs * by('meanMs'),
        costPerMillionUsd: figures.costPerMillionUsd * by('costPerMillionUsd'),
        ...(entries.length > 0 && { entries: Object.fromEntries(entries) }),
      }
    },
  }
}

function withoutBundles(setup: FusionSetup): FusionSetup {
  const entries = Object.entries(setup.functions)
  if (entries.every(([, { bundle }]) => Object.values(bundle).every((items) => items <= 1))) return setup
  return { functions: Object.fromEntries(entries.map(([fn, spec]) => [fn, { ...spec, bundle: {} }])) }
}
