import type { Strategy } from '../types.js'
import { type Call, fuse } from './fuse.js'
import { moveIntoBounds } from './memory.js'

/** Every task its own function (BASELINES); together only what the user's constraints demand. */
export const remote: Strategy = reference('remote', () => false, 'every task is a function of its own')

/** One function with everything, async work after the reply (BASELINES); apart only what the user's constraints demand. */
export const allFused: Strategy = reference('all-fused', () => true, 'all tasks in one function')

function reference(name: string, wanted: (call: Call) => boolean, summary: string): Strategy {
  return {
    name,
    source: 'BASELINES',
    first({ app, constraints, facts: { memoryLadder } }, memory) {
      const { setup, refused } = fuse(app, constraints, memoryLadder, () => memory, wanted)
      return {
        setup: moveIntoBounds(app, constraints, memoryLadder, setup),
        reasons: refused.map(({ host, call, why }) => ({
          change: `${call.from} → ${call.to} remote in ${host}`,
          why: `constraint: ${why}`,
        })),
        summary: `${summary}, ${memory} MB`,
      }
    },
    next: () => null,
  }
}
