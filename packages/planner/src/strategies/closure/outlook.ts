import { entryTasks, type FusionSetup } from 'fusionize/setup'
import { weightsOf } from '../../goals.js'
import { emptyDistribution, mergeDistributions, quantileOf } from '../../statistics/distribution.js'
import type { Round, StrategyContext } from '../../types.js'
import type { Evidence } from './evidence.js'
import { type Prediction, predict } from './predict.js'

/** What a setup is expected to measure, and how well that serves the goal. */
export interface Outlook {
  p50Ms: number
  /** USD per million requests; NaN when the platform's cost is not known. */
  costPerMillionUsd: number
  /** The smaller the better: the goal's number, its bounds as walls. */
  score: number
  prediction: Prediction
}

/** Of two setups that are nearly equal under a goal of one figure, the one much better in the other wins: a 6× difference weighs 1.8%. */
const OTHER_FIGURE = 0.01
const WALL = 20

/**
 * Expects of a setup what a measured one showed, changed by what the model predicts of both: its errors common to both cancel out. The client's
 * latency beyond the entry's reply (network, gateway) does not change.
 * @param anchor a measured round
 */
export function outlooks(context: StrategyContext, evidence: Evidence, anchor: Round): (setup: FusionSetup) => Outlook {
  const { app, facts, goal } = context
  const base = predict(app, facts, evidence, anchor.setup)
  const { measurement: m } = anchor
  const reply = repliesOf(context, anchor)
  const outside = Math.max(0, m.p50Ms.value - quantileOf(reply, 0.5) || 0)
  return (setup) => {
    const prediction = predict(app, facts, evidence, setup)
    const slower = ratio(prediction.replyMs, base.replyMs)
    const latency = (measured: number) => outside + Math.max(0, measured - outside) * slower
    const [p50, p95, p99] = [latency(m.p50Ms.value), latency(m.p95Ms.value), latency(m.p99Ms.value)]
    const cost = costOf(m.cost, prediction, base)
    return { p50Ms: p50, costPerMillionUsd: cost, score: scoreOf(goal, { p50, p95, p99, cost }), prediction }
  }
}

function repliesOf({ app }: StrategyContext, { profile }: Round) {
  const entries = new Set(entryTasks(app))
  return Object.values(profile.functions)
    .filter((f) => entries.has(f.function))
    .map((f) => f.replyMs)
    .reduce(mergeDistributions, emptyDistribution())
}

function costOf(measured: Round['measurement']['cost'], { cost }: Prediction, { cost: base }: Prediction): number {
  if (!measured) return Number.NaN
  const startup = base.startup > 0 ? measured.startup * (cost.startup / base.startup) : measured.startup
  return (
    measured.compute * ratio(cost.compute, base.compute) +
    measured.requests * ratio(cost.requests, base.requests) +
    startup +
    measured.gateway
  )
}

function scoreOf(
  goal: StrategyContext['goal'],
  figures: { p50: number; p95: number; p99: number; cost: number },
): number {
  const { p50, p95, p99 } = figures
  const cost = Number.isNaN(figures.cost) ? 1 : figures.cost
  const { subjectTo: bounds = {} } = goal
  const over = (value: number, bound: number | undefined) => (bound === undefined ? 1 : Math.max(1, value / bound))
  const walls =
    over(p50, bounds.p50Ms) *
    over(p95, bounds.p95Ms) *
    over(p99, bounds.p99Ms) *
    (Number.isNaN(figures.cost) ? 1 : over(cost, bounds.costPerMillionUsd))
  const { percentile, latencyWeight, costWeight } = weightsOf(goal.minimize)
  const value = { p50, p95, p99 }[percentile] ** (latencyWeight || OTHER_FIGURE) * cost ** (costWeight || OTHER_FIGURE)
  return value * walls ** WALL
}

function ratio(value: number, base: number): number {
  return base > 0 ? value / base : 1
}
