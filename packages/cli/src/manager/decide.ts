import type { Proposal, Round, Strategy, StrategyContext } from '@fusionize/planner'
import { printSetup, setupId, validate } from 'fusionize/setup'
import { hasDrifted, judge } from './judge.js'
import type { Reading } from './reading.js'
import type { ManagedRound, ManagerState } from './state.js'

/** What a run does next, and why; at most one lap. */
export type Action =
  | { do: 'nothing'; why: string }
  /** `first`: the measurement of what serves, which was not known before. */
  | { do: 'try'; why: string; proposal: Proposal; first?: ManagedRound }
  | { do: 'rest'; why: string; first?: ManagedRound }
  | { do: 'adopt' | 'roll-back'; why: string; round: ManagedRound }
  | { do: 'start-anew'; why: string }

export interface Seen {
  serving: Reading
  canary: Reading
  /** See `Evidence.rounds`. */
  rounds: readonly ManagedRound[]
}

export interface Rules {
  context: StrategyContext
  strategy: Strategy
  /** Requests of a setup that a decision takes. */
  enough: number
  /** Setups tried at most before it only watches. */
  most: number
}

/** What follows from what was seen. Pure: the same for the same. */
export function decide(state: ManagerState, seen: Seen, { context, enough, most, strategy }: Rules): Action {
  const { canary, serving } = state
  if (canary) {
    const verdict = judge(context.goal, seen.serving, seen.canary, enough)
    const count = `${seen.canary.whole} requests of the setup on trial, ${seen.serving.whole} of the other; ${enough} of each are enough`
    if (!verdict) return { do: 'nothing', why: count }
    const { become, failed, why } = verdict
    const { id, reasons, setup, strategy: name, summary } = canary
    const round = roundOf({ id, setup, strategy: name, reasons, summary }, seen.canary)
    return { do: become === 'adopted' ? 'adopt' : 'roll-back', why, round: failed ? { ...round, failure: why } : round }
  }
  const known = seen.rounds.find(({ id }) => id === serving.id)
  const { whole } = seen.serving
  if (whole < enough) return { do: 'nothing', why: `${whole} requests of the setup in service; ${enough} are enough` }
  if (known && hasDrifted(context.goal, known.measurement, seen.serving.measurement))
    return { do: 'start-anew', why: 'what the goal minimises is no longer what was measured' }
  if (state.isDone) return { do: 'nothing', why: 'nothing to improve; watching' }
  const said = { strategy: 'in service', reasons: [], summary: 'the setup in service' }
  const first = known ? undefined : roundOf({ id: serving.id, setup: serving.setup, ...said }, seen.serving)
  return propose([...seen.rounds, ...(first ? [first] : [])], first)

  function propose(rounds: readonly ManagedRound[], first: Round | undefined): Action {
    const rest = (why: string): Action => ({ do: 'rest', why, ...(first && { first }) })
    if (rounds.length > most) return rest(`${most} setups were tried`)
    const proposal = strategy.next(
      rounds.filter(({ failure }) => failure === undefined),
      context,
    )
    if (!proposal) return rest(`${strategy.name} has nothing more to propose`)
    const id = setupId(proposal.setup)
    const notation = printSetup(proposal.setup, context.app)
    if (rounds.some((one) => one.id === id)) return rest(`${strategy.name} proposes ${notation} again`)
    const broken = validate(context.app, proposal.setup, context.constraints, context.facts)
    if (broken.length > 0)
      return rest(`${strategy.name} proposes what is not allowed: ${broken.map(({ message }) => message).join('; ')}`)
    return { do: 'try', why: proposal.summary, proposal, ...(first && { first }) }
  }
}

/** What a strategy is told of a setup. */
function roundOf(
  about: Pick<Round, 'id' | 'setup' | 'strategy' | 'reasons' | 'summary'>,
  { measurement, profile, traces }: Reading,
): Round {
  return { ...about, measurement, profile, ...(traces && { traces }) }
}
