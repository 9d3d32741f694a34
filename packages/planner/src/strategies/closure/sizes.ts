import { type FusionSetup, reachableFunctions, type TaskName } from 'fusionize/setup'
import type { Goal, Reason, Round, StrategyContext } from '../../types.js'
import { allowedSizes } from '../memory-bounds.js'
import type { Evidence } from './evidence.js'
import { type Prediction, predict } from './predict.js'

const MAX_SWEEPS = 6
/** Sizes whose predicted objective differs by less are equal: the larger one is faster, and noise should not flip it (PAPERS §1). */
const TIE = 0.005

/**
 * The memory of every function, the entry included, that minimises the goal under the fit a + b/MB: coordinate descent over the
 * ladder, function by function, until none changes.
 * @param measured the path setup's last round: predictions of latency are scaled to it
 */
export function bestSizes(
  context: StrategyContext,
  evidence: Evidence,
  setup: FusionSetup,
  measured: Round,
): { setup: FusionSetup; reasons: Reason[]; score: number } {
  const { app, facts, goal, constraints } = context
  const base = predict(app, facts, evidence, measured.setup)
  const score = (candidate: FusionSetup) => objectiveOf(goal, predict(app, facts, evidence, candidate), base, measured)
  let best = setup
  let bestScore = score(best)
  for (let sweep = 0, changed = true; changed && sweep < MAX_SWEEPS; sweep++) {
    changed = false
    for (const fn of reachableFunctions(app, setup)) {
      const present = best.functions[fn]?.memory
      for (const size of allowedSizes(app, constraints, facts.memoryLadder, setup, fn)) {
        if (size === best.functions[fn]?.memory) continue
        const candidate = withMemory(best, fn, size)
        const candidateScore = score(candidate)
        const larger = size > (best.functions[fn]?.memory ?? 0)
        if (candidateScore > bestScore * (larger ? 1 + TIE : 1 - TIE)) continue
        best = candidate
        bestScore = Math.min(bestScore, candidateScore)
      }
      if (best.functions[fn]?.memory !== present) changed = true
    }
  }
  return { setup: best, reasons: reasonsOf(context, evidence, setup, best), score: score(best) }
}

export function withMemory(setup: FusionSetup, fn: TaskName, memory: number): FusionSetup {
  const spec = setup.functions[fn]
  return spec ? { functions: { ...setup.functions, [fn]: { ...spec, memory } } } : setup
}

/** The goal's number for a prediction; its bounds are walls. */
function objectiveOf(
  goal: Goal,
  { replyMs, costUsd }: Prediction,
  base: Prediction,
  { measurement: m }: Round,
): number {
  const faster = base.replyMs > 0 ? replyMs / base.replyMs : 1
  const cheaper = base.costUsd > 0 ? costUsd / base.costUsd : 1
  const p50 = m.p50Ms.value * faster
  const p95 = m.p95Ms.value * faster
  const p99 = m.p99Ms.value * faster
  const cost = (m.costPerMillionUsd?.value ?? 1) * cheaper
  const { subjectTo = {} } = goal
  const over =
    Math.max(1, p50 / (subjectTo.p50Ms ?? p50)) *
    Math.max(1, p95 / (subjectTo.p95Ms ?? p95)) *
    Math.max(1, p99 / (subjectTo.p99Ms ?? p99)) *
    Math.max(1, cost / (subjectTo.costPerMillionUsd ?? cost))
  const value = { p50, p95, p99, cost, balanced: p50 * cost }[goal.minimize]
  // A latency goal is indifferent to what happens after the reply, and a cost goal to nothing: of equals, take the cheaper.
  return value * (goal.minimize === 'balanced' || goal.minimize === 'cost' ? 1 : cost ** 0.01) * over ** 20
}

function reasonsOf(context: StrategyContext, evidence: Evidence, before: FusionSetup, after: FusionSetup): Reason[] {
  const { app, facts, goal } = context
  const figures = (setup: FusionSetup, fn: TaskName) => {
    const f = predict(app, facts, evidence, setup).functions[fn]
    return f
      ? `${(f.wallMs / f.invocations).toFixed(0)} ms, $${(f.costUsd * 1e6).toFixed(2)} per million requests`
      : '?'
  }
  return reachableFunctions(app, after).flatMap((fn) => {
    const [old, memory] = [before.functions[fn]?.memory, after.functions[fn]?.memory]
    if (memory === undefined) return []
    const sizes = [...new Set(Object.keys(app.tasks).flatMap((task) => evidence.sizes(task)))].sort((a, b) => a - b)
    const why = `best for the goal (${goal.minimize}) by a + b/MB through ${sizes.join(', ')} MB: ${figures(after, fn)} predicted`
    return [{ change: old === memory ? `${fn} stays at ${memory} MB` : `${fn}: memory ${old} → ${memory} MB`, why }]
  })
}
