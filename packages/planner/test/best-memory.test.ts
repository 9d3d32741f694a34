import { objective, type Round, strategies } from '@fusionize/planner'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { worlds } from './arbitrary-worlds.js'
import { contextOf, memories, roundOf, runStrategy } from './run.js'
import { iotWorld } from './world.js'

test('a reference at its best memory is within 2% of trying every size, with at most four setups', () => {
  fc.assert(
    fc.property(
      worlds,
      fc.constantFrom('remote', 'all-fused'),
      fc.constantFrom('balanced', 'cost', 'p50'),
      (world, name, minimize) => {
        const [base, strategy] = [strategies[name], strategies[`${name}@best`]]
        if (!base || !strategy) throw new Error(`no strategy ${name}`)
        const context = contextOf(world, { minimize })
        const history = runStrategy(strategy, world, context)
        const found = strategy.adopt?.(history, context) as Round
        const scores = world.facts.memoryLadder.map((memory) =>
          objective({ minimize }, roundOf(world, name, base.first(context, memory)).measurement),
        )
        expect(history.length).toBeLessThanOrEqual(4)
        expect(objective({ minimize }, found.measurement)).toBeLessThanOrEqual(1.02 * Math.min(...scores))
      },
    ),
    { numRuns: 25 },
  )
}, 60_000)

test('all functions have one size', () => {
  const world = iotWorld()
  const strategy = strategies['remote@best'] as NonNullable<(typeof strategies)[string]>
  for (const round of runStrategy(strategy, world, contextOf(world, { minimize: 'cost' })))
    expect(new Set(Object.values(memories(round.setup))).size).toBe(1)
})
