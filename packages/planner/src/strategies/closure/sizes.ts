import { artifactTasks, type FusionSetup, reachableFunctions, type TaskName } from 'fusionize/setup'
import type { StrategyContext } from '../../types.js'
import { allowedSizes, nearest, withMemory } from '../memory.js'
import type { Evidence } from './evidence.js'
import type { Outlook } from './outlook.js'

const MAX_SWEEPS = 6
/** Share of the predicted peak that must be free. */
const HEADROOM = 1.1

/**
 * The memory of every function, the entry included, that serves the goal best: coordinate descent over the sizes allowed, from
 * each given start, function by function, until none changes.
 * @param ladder the sizes looked at
 */
export function bestSizes(
  context: StrategyContext,
  evidence: Evidence,
  starts: readonly FusionSetup[],
  outlook: (setup: FusionSetup) => Outlook,
  ladder: readonly number[] = context.facts.memoryLadder,
): FusionSetup {
  const found = starts.map((start) => descend(context, evidence, start, outlook, ladder))
  return found.reduce((a, b) => (b.score < a.score ? b : a)).setup
}

/** The setup with all functions at one size, as far as they may have it, for every size of the ladder. */
export function uniformStarts(context: StrategyContext, evidence: Evidence, setup: FusionSetup): FusionSetup[] {
  const functions = reachableFunctions(context.app, setup)
  return context.facts.memoryLadder.map((size) =>
    functions.reduce((uniform, fn) => {
      const sizes = sizesFor(context, evidence, setup, fn)
      return withMemory(uniform, fn, nearest(sizes, size) ?? setup.functions[fn]?.memory ?? size)
    }, setup),
  )
}

/** Few sizes, from the smallest to a full core: enough to compare routes. */
export function coarseLadder({ facts: { memoryLadder, mbPerCore } }: StrategyContext): number[] {
  const wanted = [memoryLadder[0] ?? 128, mbPerCore / 6, mbPerCore / 2.4, mbPerCore]
  return [...new Set(wanted.map((size) => nearest(memoryLadder, size) ?? size))]
}

/** Sizes that a function may have: bounds kept, and room for what its tasks were seen to need. */
export function sizesFor(
  { app, constraints, facts }: StrategyContext,
  evidence: Evidence,
  setup: FusionSetup,
  fn: TaskName,
): number[] {
  const allowed = allowedSizes(app, constraints, facts.memoryLadder, setup, fn)
  const needed = evidence.peakMb(artifactTasks(app, setup, fn)) * HEADROOM
  const roomy = allowed.filter((size) => size >= needed)
  return roomy.length > 0 ? roomy : allowed.slice(-1)
}

function descend(
  context: StrategyContext,
  evidence: Evidence,
  start: FusionSetup,
  outlook: (setup: FusionSetup) => Outlook,
  ladder: readonly number[],
): { setup: FusionSetup; score: number } {
  const functions = reachableFunctions(context.app, start).map(
    (fn) => [fn, sizesFor(context, evidence, start, fn).filter((size) => ladder.includes(size))] as const,
  )
  let best = { setup: start, score: outlook(start).score }
  for (let sweep = 0, changed = true; changed && sweep < MAX_SWEEPS; sweep++) {
    changed = false
    for (const [fn, sizes] of functions)
      for (const size of sizes) {
        if (size === best.setup.functions[fn]?.memory) continue
        const setup = withMemory(best.setup, fn, size)
        const { score } = outlook(setup)
        if (score >= best.score) continue
        best = { setup, score }
        changed = true
      }
  }
  return best
}
