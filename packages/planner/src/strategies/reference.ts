import { type App, allFusedSetup, type Constraints, type FusionSetup, remoteSetup } from 'fusionize/setup'
import type { Strategy } from '../types.js'
import { raiseToBounds } from './memory-bounds.js'

/** Every task its own function (BASELINES). */
export const remote: Strategy = reference('remote', remoteSetup, 'every task is a function of its own')

/** One function with everything, async work after the reply (BASELINES). */
export const allFused: Strategy = reference('all-fused', allFusedSetup, 'all tasks in one function')

function reference(name: string, make: (app: App, memory: number) => FusionSetup, summary: string): Strategy {
  return {
    name,
    source: 'BASELINES',
    first: ({ app, constraints, facts }, memory) => ({
      setup: raiseToBounds(app, constraints as Constraints, facts.memoryLadder, make(app, memory)),
      reasons: [],
      summary: `${summary}, ${memory} MB`,
    }),
    next: () => null,
  }
}
