import { type FusionSetup, setupsEqual } from 'fusionize/setup'
import { best } from '../../goals.js'
import { stagesOf } from '../../stages/compose.js'
import { stageFactsOf } from '../../stages/facts.js'
import { type TracedWorkflow, workflowOf } from '../../stages/from-traces.js'
import { setupOfPlan } from '../../stages/to-setup.js'
import type { StageFacts, StageGoal } from '../../stages/types.js'
import { quantile } from '../../statistics/bootstrap.js'
import type { Measurement, Proposal, Reason, Round, Strategy, StrategyContext } from '../../types.js'
import { allowed } from '../fuse.js'
import { withMemory } from '../memory.js'
import { remote } from '../reference.js'
import { stageRatios } from './confirm.js'
import { type DrivenPlan, planDriven, type StagePlanner } from './driven.js'
import { stageGoalOf } from './stage-goal.js'
import { rescaled } from './wisefuse.js'

export interface StageStrategyOptions {
  name: string
  source: string
  planner: StagePlanner
  /** Plans again, at most so often, when what was deployed misses the goal by more than 2% (BASELINES, `wisefuse`, Confirm). @default 0 */
  replans?: number
}

/** How a reason begins that tells what of a plan no setup can say. */
export const NOT_SAID = 'cannot be said here'

/** By how much a measured figure may miss its goal (BASELINES, `wisefuse`, Confirm). */
const MISSED = 1.02

/**
 * A competitor that plans a workflow of stages as a strategy of the loop: the first setup is all remote and gives the profile, the next is the plan. Adopts
 * the best of what it planned. It needs the requests of its rounds (`Round.traces`).
 */
export function stageStrategy({ name, source, planner, replans = 0 }: StageStrategyOptions): Strategy {
  return {
    name,
    source,
    first: (context, memory) => remote.first(context, memory),
    next(history, context) {
      const [profiled, ...planned] = history
      if (!profiled || planned.length > replans) return null
      const study = studyOf(profiled, context)
      let { traced } = study
      // Sends alone are no workflow.
      if (stagesOf(traced.workflow.shape).length === 0) return null
      const again: Reason[] = []
      for (const [i, round] of planned.entries()) {
        if (keeps(round.measurement, study.goal, context)) return null
        const ratios = stageRatios(
          planDriven(traced, study.goal, study.facts, planner, study.outsideMs),
          tracesOf(round),
        )
        traced = { ...traced, workflow: rescaled(traced.workflow, ratios) }
        again.push({
          change: `plan ${i + 2}`,
          why: `plan ${i + 1} missed the goal; measured / predicted: ${wordsOf(ratios)}`,
        })
      }
      const driven = planDriven(traced, study.goal, study.facts, planner, study.outsideMs)
      const proposal = proposalOf(name, driven, traced, profiled.setup, context)
      if (history.some(({ setup }) => setupsEqual(setup, proposal.setup))) return null
      return { ...proposal, reasons: [...again, ...proposal.reasons, ...study.reasons] }
    },
    adopt: (history, { goal }) => best(history.slice(1), goal) ?? history.at(-1),
  }
}

/** What competitors plan with: the workflow of a round, the goal and the platform as they see them. */
export interface StageStudy {
  traced: TracedWorkflow
  goal: StageGoal
  facts: StageFacts
  /** What a client waits beyond its request's handler: the same in every setup. */
  outsideMs: number
  /** In what these leave the truth. */
  reasons: Reason[]
}

/** @throws RangeError when the round has no traces that can be used */
export function studyOf(profiled: Round, { app, facts, goal }: StrategyContext): StageStudy {
  const traces = tracesOf(profiled)
  const traced = workflowOf(app, traces, facts)
  const asked = stageGoalOf(goal, profiled.measurement, facts.prices.perGatewayRequest)
  const handled = traces.map(({ runs }) => runs[0]?.endMs ?? 0).sort((a, b) => a - b)
  const reasons: Reason[] = traced.left.map((why) => ({ change: NOT_SAID, why }))
  if (asked.why !== undefined) reasons.push({ change: 'goal', why: asked.why })
  const outsideMs = Math.max(0, profiled.measurement.p50Ms.value - quantile(handled, 0.5))
  return { traced, goal: asked.goal, facts: stageFactsOf(facts), outsideMs, reasons }
}

/** Whether what was measured keeps the goal, or misses it by no more than may be. */
function keeps(m: Measurement, goal: StageGoal, { facts }: StrategyContext): boolean {
  if (goal.kind === 'slo') return percentileOf(m, goal.percentile) <= MISSED * goal.ms
  if (!m.costPerMillionUsd) return true
  return m.costPerMillionUsd.value / 1e6 - facts.prices.perGatewayRequest <= MISSED * goal.usdPerRequest
}

function percentileOf(m: Measurement, percentile: number): number {
  return (percentile > 0.95 ? m.p99Ms : percentile > 0.5 ? m.p95Ms : m.p50Ms).value
}

function proposalOf(
  name: string,
  { plan, driverMb, predicted, feasible }: DrivenPlan,
  { driver }: TracedWorkflow,
  base: FusionSetup,
  { app, constraints, facts: { memoryLadder, prices } }: StrategyContext,
): Proposal {
  const { setup: asPlanned, lost } = setupOfPlan(app, plan, withMemory(base, driver, driverMb), memoryLadder)
  const { setup, refused } = allowed(app, constraints, memoryLadder, asPlanned)
  const usd = (predicted.costUsd + prices.perGatewayRequest) * 1e6
  const figures = `${predicted.percentileMs.toFixed(0)} ms, $${usd.toFixed(2)} per million`
  return {
    setup,
    reasons: [
      ...plan.reasons,
      {
        change: `${driver} at ${driverMb} MB`,
        why: 'it is billed until the last stage has ended; the size that suits the plan best',
      },
      ...lost.map((why) => ({ change: NOT_SAID, why })),
      ...refused.map(({ host, call, why }) => ({
        change: `${call.from} → ${call.to} remote in ${host}`,
        why: `constraint: ${why}`,
      })),
    ],
    summary: `${name}: predicted ${figures}${feasible ? '' : ', which misses the goal'}`,
  }
}

/** @throws RangeError when the reader keeps none */
function tracesOf({ id, traces }: Round) {
  if (!traces || traces.length === 0)
    throw new RangeError(`round ${id} has no traces, and a plan of stages is made from them; measure it again`)
  return traces
}

function wordsOf(ratios: Readonly<Record<string, number>>): string {
  return Object.entries(ratios)
    .map(([stage, ratio]) => `${stage} ${ratio.toFixed(2)}`)
    .join(', ')
}
