import { effectiveSetup, type FusionSetup, setupsEqual } from 'fusionize/setup'
import { objective } from '../../goals.js'
import type { Proposal, Round, Strategy, StrategyContext } from '../../types.js'
import { allowedSizes, raiseToBounds } from '../memory-bounds.js'
import { remote } from '../reference.js'
import { evidenceOf } from './evidence.js'
import { pathSetup } from './routes.js'
import { bestSizes } from './sizes.js'

/** Deployed setups after the first, at most. */
const MAX_STEPS = 3
/** A refit must promise this much more than what was measured, or it is not worth another deployment. */
const WORTHWHILE = 0.03

/**
 * Fusionize's final path setup in one step, from one profile; then memory by a + b/MB through the sizes measured, the entry included.
 * Step 1 deploys the path at a second size, which also gives every task its second point; step 2 the sizes that the fit finds best; step 3,
 * only if the refit with three sizes promises at least 3% more, those.
 */
export const closure: Strategy = {
  name: 'closure',
  source: 'Fusionize (PAPERS §1), improved: docs/decisions/010-closure.md',
  first: (context, memory) => remote.first(context, memory),
  next(history, context) {
    const [start, path] = history
    if (!start || history.length > MAX_STEPS) return null
    if (!path) return pathStep(start, context)
    if (!context.facts.cpuShareEnforced) return null
    return sizeStep(history, context)
  },
}

function pathStep(start: Round, context: StrategyContext): Proposal | null {
  const { app, facts, constraints } = context
  const evidence = evidenceOf([start], facts.mbPerCore)
  const tuning = facts.cpuShareEnforced
  const probe = 0.6 * facts.mbPerCore
  const { setup: routed, reasons } = pathSetup(context, evidence, (fn) => start.setup.functions[fn]?.memory ?? 128)
  const setup = raiseToBounds(app, constraints, facts.memoryLadder, routed)
  if (tuning) {
    for (const [fn, spec] of Object.entries(setup.functions)) {
      const sizes = allowedSizes(app, constraints, facts.memoryLadder, setup, fn)
      spec.memory = sizes.reduce((a, b) => (Math.abs(b - probe) < Math.abs(a - probe) ? b : a), sizes[0] ?? spec.memory)
    }
    reasons.push({
      change: `all functions at the ladder's size next to ${probe.toFixed(0)} MB`,
      why: 'a second size, so that a + b/MB can be fitted to every task; one size predicts nothing',
    })
  } else
    reasons.push({
      change: 'memory stays',
      why: 'CPU shares are not enforced here, so sizes make no difference to measure',
    })
  if (sameEffect(context, setup, start.setup)) return null
  return { setup, reasons, summary: 'path: sync calls inline, sends where it pays' }
}

function sizeStep(history: readonly Round[], context: StrategyContext): Proposal | null {
  const last = history.at(-1) as Round
  const evidence = evidenceOf(history, context.facts.mbPerCore)
  const { setup, reasons, score } = bestSizes(context, evidence, last.setup, last)
  if (history.some((round) => sameEffect(context, round.setup, setup))) return null
  if (history.length > 2 && score > objective(context.goal, last.measurement) * (1 - WORTHWHILE)) return null
  return { setup, reasons, summary: history.length === 2 ? 'sizes fitted to two measured ones' : 'sizes fitted again' }
}

function sameEffect({ app }: StrategyContext, a: FusionSetup, b: FusionSetup): boolean {
  return setupsEqual(effectiveSetup(app, a), effectiveSetup(app, b))
}
