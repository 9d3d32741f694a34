import { type Bench, type Evidence, newHistory, runLoop } from '@fusionize/cli/control'
import { choose, type Round, type Strategy, strategies } from '@fusionize/planner'
import { printSetup } from 'fusionize/setup'
import { InputError } from '../input-error.js'

/** Setups that a strategy may deploy; one that wants more has not converged. */
const MAX_ROUNDS = 60

/** What a strategy deployed, in that order, and which of it it adopted. */
export interface StrategyRun {
  name: string
  /** Those that served requests, failures among them. */
  deployed: Round[]
  /** Those without failures. */
  rounds: Round[]
  adopted: Round
  converged: boolean
  /** What was measured, by setup id. */
  evidence: Map<string, Evidence>
  /** Warm-ups included. */
  requestsSpent: number
}

/**
 * Runs a strategy from a first setup until it has nothing more to propose, and lets it adopt as the feedback loop does: by its own rule where it
 * has one, else the best, if that is better than the first beyond the intervals.
 * @throws {Error} when no setup could be measured
 */
export async function runStrategy(strategy: Strategy, memoryMb: number, bench: Bench): Promise<StrategyRun> {
  const { lab, context } = bench
  const spentBefore = lab.requestsSpent()
  const key = { appHash: '', strategy: strategy.name, goal: context.goal, load: 'bench' }
  const { rounds, evidence, converged } = await runLoop({
    ...bench,
    strategy,
    memory: memoryMb,
    maxRounds: MAX_ROUNDS,
    history: newHistory(key, new Date(0)),
    save: async () => {},
  })
  const sound = rounds.filter(({ failure }) => failure === undefined)
  const adopted = strategy.adopt ? strategy.adopt(sound, context) : choose(sound, context.goal)
  if (!adopted) {
    const why = rounds.map(({ setup, failure }) => `${printSetup(setup, context.app)}: ${failure}`)
    throw new Error(`${strategy.name} adopted no setup of '${context.app.name}': ${why.join('; ')}`)
  }
  const requestsSpent = lab.requestsSpent() - spentBefore
  const deployed = rounds.filter(({ measurement }) => measurement.requests > 0)
  return { name: strategy.name, deployed, rounds: sound, adopted, converged, evidence, requestsSpent }
}

/** @throws {InputError} when the planner has none of that name */
export function strategyNamed(name: string): Strategy {
  const strategy = Object.hasOwn(strategies, name) ? strategies[name] : undefined
  if (strategy) return strategy
  throw new InputError(`the planner has no strategy '${name}'; it has ${Object.keys(strategies).join(', ')}`)
}
