import { reachableFunctions } from 'fusionize/setup'
import type { Round, StrategyContext } from '../../types.js'

/** Work that takes this much longer with more memory is no noise. */
const LONGER = 1.15

/**
 * Whether a round was measured on a busy machine: its functions have at least the memory of the first round's, and yet the same work took longer,
 * which the CPU law rules out. Its times say nothing about sizes.
 */
export function isDisturbed(context: StrategyContext, start: Round, round: Round): boolean {
  const [before, after] = [sizesOf(context, start), sizesOf(context, round)]
  return round !== start && Math.min(...after) >= Math.max(...before) && workOf(round) > LONGER * workOf(start)
}

function sizesOf({ app }: StrategyContext, { setup }: Round): number[] {
  return reachableFunctions(app, setup).map((fn) => setup.functions[fn]?.memory ?? 0)
}

/** Ms of work per request, all tasks together. */
function workOf({ profile }: Round): number {
  const sizes = Object.values(profile.tasks).flatMap((task) => Object.values(task.sizes))
  return sizes.reduce((sum, size) => sum + size.workMs, 0) / Math.max(1, profile.requests)
}
