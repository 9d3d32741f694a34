import type { ExecutionPlan } from '../../stages/execution-plan.js'
import { meets } from '../../stages/execution-plan.js'
import { type TracedWorkflow, withDriver } from '../../stages/from-traces.js'
import { gridMean } from '../../stages/grid.js'
import { type SizedGroup, type StageModel, stageModel } from '../../stages/model.js'
import type { StageFacts, StageGoal, Workflow } from '../../stages/types.js'

/** A competitor's plan for a workflow. @throws RangeError when no size holds what it must */
export type StagePlanner = (workflow: Workflow, goal: StageGoal, facts: StageFacts) => ExecutionPlan

/** A plan with the size of the function that drives it. */
export interface DrivenPlan {
  plan: ExecutionPlan
  driverMb: number
  /** The plan's groups as sandboxes hold them: invocations that share one count as a bundle. */
  held: SizedGroup[]
  /** The stage model at that size of the driver. */
  model: StageModel
  /** With the driver's bill. */
  predicted: { percentileMs: number; costUsd: number }
  feasible: boolean
}

/**
 * The competitor's plan at the driver's best size for the goal [ours]: no paper sizes what drives a workflow, yet here it is a function that is billed until the
 * last stage has ended, so each competitor gets the size that suits its plan best. Where all stages are one function the driver is in it.
 */
export function planDriven(
  traced: TracedWorkflow,
  goal: StageGoal,
  facts: StageFacts,
  planner: StagePlanner,
  outsideMs: number,
): DrivenPlan {
  const { ladderMb = [facts.minMb, facts.maxMb] } = facts
  let best: DrivenPlan | undefined
  for (const driverMb of ladderMb) {
    const found = planAt(traced, goal, facts, planner, driverMb, outsideMs)
    if (found && (!best || isBetter(goal, found, best))) best = found
    // A larger driver is faster and dearer: after one that was no better none will be. One function of all is not that simple.
    else if (best && !best.plan.merged) break
  }
  if (!best) throw new RangeError(`no size holds what the stages of '${traced.workflow.name}' need`)
  return best
}

function planAt(
  traced: TracedWorkflow,
  goal: StageGoal,
  facts: StageFacts,
  planner: StagePlanner,
  driverMb: number,
  outsideMs: number,
): DrivenPlan | undefined {
  const workflow = withDriver(traced, driverMb, facts.mbPerCore, outsideMs)
  const at = { driverMb, model: stageModel(workflow, facts, { dependence: 'independent' }) }
  const plan = orNothing(() => planner(workflow, goal, facts))
  if (!plan) return undefined
  if (plan.merged) {
    const alone = { ...facts, minMb: driverMb, maxMb: driverMb, ladderMb: [driverMb] }
    const here = orNothing(() => planner(workflow, goal, alone))
    return here && driven(here, goal, at, 0)
  }
  const once = driven(plan, goal, at, driverUsd(at, plan))
  if (goal.kind === 'slo' || !Number.isFinite(goal.usdPerRequest)) return once
  // What the driver costs is not the stages' to spend.
  const rest = { ...goal, usdPerRequest: goal.usdPerRequest - (once.predicted.costUsd - plan.predicted.costUsd) }
  const again = rest.usdPerRequest > 0 ? orNothing(() => planner(workflow, rest, facts)) : undefined
  return again ? driven(again, goal, at, driverUsd(at, again)) : once
}

type At = Pick<DrivenPlan, 'driverMb' | 'model'>

function driven(plan: ExecutionPlan, goal: StageGoal, at: At, driverCostUsd: number): DrivenPlan {
  const predicted = {
    percentileMs: plan.predicted.percentileMs,
    costUsd: plan.predicted.costUsd + driverCostUsd,
  }
  const feasible = meets(goal, { ...plan.predicted, ...predicted })
  return { plan, ...at, held: heldOf(plan), predicted, feasible }
}

function heldOf({ groups }: ExecutionPlan): SizedGroup[] {
  return groups.map(({ stages, bundle, concurrency, parallel, memoryMb }) => {
    return { stages, bundle: bundle * concurrency, parallel, memoryMb }
  })
}

/** Billed from the request's beginning to its end. */
function driverUsd({ driverMb, model }: At, plan: ExecutionPlan): number {
  const { perGbSecond, perRequest } = model.facts.prices
  const ms = gridMean(model.predict(heldOf(plan)).latency)
  return ((driverMb * ms) / 1024 / 1000) * perGbSecond + perRequest
}

function isBetter(goal: StageGoal, a: DrivenPlan, b: DrivenPlan): boolean {
  const over = ({ predicted }: DrivenPlan) =>
    Math.max(1, goal.kind === 'slo' ? predicted.percentileMs / goal.ms : predicted.costUsd / goal.usdPerRequest)
  if (over(a) !== over(b)) return over(a) < over(b)
  return goal.kind === 'slo'
    ? a.predicted.costUsd < b.predicted.costUsd
    : a.predicted.percentileMs < b.predicted.percentileMs
}

function orNothing<T>(plan: () => T): T | undefined {
  try {
    return plan()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
