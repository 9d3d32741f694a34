import { choose, type Round, simulate, strategies } from '@fusionize/planner'
import { expect, test } from 'vitest'
import { runNoisily, truthOf } from './noisy-run.js'
import { contextOf } from './run.js'
import { behaviourOf } from './simulated-world.js'
import { iotWorld } from './world.js'

test.each(['closure', 'published'])(
  '%s adopts nothing worse than its first setup where delays have tails',
  (name) => {
    const strategy = strategies[name]
    if (!strategy) throw new Error(`there is no strategy ${name}`)
    const world = iotWorld()
    const goal = { minimize: 'balanced' } as const
    const context = contextOf(world, goal)
    const truth = truthOf(world, 0.5, { kind: 'poisson', rps: 10, requests: 80 }, 20)
    const history = runNoisily(strategy, truth, context, { memory: 128, seed: 100 })
    const adopted = strategy.adopt?.(history, context) ?? choose(history, goal)
    const [first] = history
    if (!first || !adopted) throw new Error('nothing was adopted')
    const arrivals = { kind: 'poisson', rps: 10, requests: 3000 } as const
    const score = ({ setup }: Round) => {
      const { costPerMillionUsd, latency } = simulate(behaviourOf(world), setup, truth.platform, { arrivals, seed: 7 })
      return costPerMillionUsd * latency.p50Ms
    }
    expect(score(adopted)).toBeLessThan(score(first))
  },
  20_000,
)
