import { printSetup, setupId } from 'fusionize/setup'
import { type Action, decide } from './decide.js'
import { readingOf } from './reading.js'
import {
  type Canary,
  type Evidence,
  emptyWindow,
  type LastRun,
  type ManagedRound,
  type ManagerState,
  remember,
  type Tried,
} from './state.js'
import type { LapTools } from './tools.js'

/** Setups tried for one app and goal. */
const MOST_SETUPS = 10
/** Runs that may begin to deploy a setup: one that dies three times in it is not to blame on chance. */
const MOST_TRIES = 3

/** What a run came to, to be written down. */
export interface Outcome {
  state: ManagerState
  evidence: Evidence
  lastRun: LastRun
}

/** Ends what was begun, else decides and does it. @param write writes the head down before anything changes */
export async function step(
  tools: LapTools,
  state: ManagerState,
  evidence: Evidence,
  write: (state: ManagerState) => Promise<void>,
): Promise<Outcome> {
  const { builder, config, facts, now, strategy } = tools
  const { canary } = state
  if (canary?.stage === 'deploying' && canary.tries >= MOST_TRIES) return giveUp(tools, state, canary, evidence)
  if (canary?.stage === 'deploying') return tryOut(tools, state, canary, evidence, write)
  if (canary?.stage === 'adopting' || canary?.stage === 'rolling-back') return end(tools, state, canary, evidence)
  if (canary && !(await hasShare(tools, canary))) return tryOut(tools, state, canary, evidence, write)

  const beforeMs = now() - config.settleMs
  const read = (window: Evidence['serving']) => readingOf(window, facts, beforeMs)
  const { constraints, goal } = config
  const action: Action = decide(
    state,
    { serving: read(evidence.serving), canary: read(evidence.canary), rounds: evidence.rounds },
    { context: { app: builder.app, facts, goal, constraints }, strategy, enough: config.requests, most: MOST_SETUPS },
  )
  const done = (did: LastRun['did'], next: Partial<ManagerState>, seen: Partial<Evidence> = {}): Outcome => ({
    state: { ...state, ...next },
    evidence: { ...evidence, ...seen },
    lastRun: { atMs: now(), did, why: action.why },
  })
  switch (action.do) {
    case 'nothing':
      return done('nothing', {})
    case 'start-anew':
      return done('started anew', { isDone: false }, { rounds: [], serving: emptyWindow() })
    case 'rest': {
      const tried = action.first
        ? remember(state.tried, triedOf(tools, action.first, 'first', action.why))
        : state.tried
      const rounds = [...evidence.rounds, ...(action.first ? [action.first] : [])]
      return done('nothing', { isDone: true, tried }, { rounds, serving: emptyWindow() })
    }
    case 'try': {
      const { first, proposal } = action
      const id = setupId(proposal.setup)
      const next: Canary = {
        ...proposal,
        id,
        deployed: '',
        strategy: strategy.name,
        stage: 'deploying',
        tries: 0,
        sinceMs: now(),
      }
      const tried = first ? remember(state.tried, triedOf(tools, first, 'first', 'it was in service')) : state.tried
      const rounds = [...evidence.rounds, ...(first ? [first] : [])]
      return tryOut(tools, { ...state, tried }, next, { ...evidence, rounds }, write)
    }
    case 'adopt':
    case 'roll-back': {
      const { round, why } = action
      const stage = action.do === 'adopt' ? ('adopting' as const) : ('rolling-back' as const)
      const became = action.do === 'adopt' ? 'adopted' : 'rolled back'
      const tried = remember(state.tried, triedOf(tools, round, became, why))
      const ending = { ...(canary as Canary), stage, why }
      const next = { ...state, tried, canary: ending }
      await write(next)
      return end(tools, next, ending, { ...evidence, rounds: [...evidence.rounds, round] })
    }
  }
}

/** What cannot be deployed is not tried again. */
async function giveUp(tools: LapTools, state: ManagerState, canary: Canary, evidence: Evidence): Promise<Outcome> {
  const why = `it could not be deployed: ${state.lastRun?.did === 'failed' ? state.lastRun.why : 'the run ended'}`
  const { measurement, profile } = readingOf(emptyWindow(), tools.facts, 0)
  const { id, reasons, setup, strategy, summary } = canary
  const round: ManagedRound = { id, setup, strategy, reasons, summary, measurement, profile, failure: why }
  const tried = remember(state.tried, triedOf(tools, round, 'rolled back', why))
  return end(tools, { ...state, tried }, { ...canary, why }, { ...evidence, rounds: [...evidence.rounds, round] })
}

async function hasShare({ hands }: LapTools, { deployed }: Canary): Promise<boolean> {
  return (await hands.served()).some((one) => one.deployed === deployed && one.share > 0)
}

/** Builds and deploys a setup and gives it its share of new sessions. Begun twice it is the same. */
async function tryOut(
  { builder, config, hands, now }: LapTools,
  state: ManagerState,
  canary: Canary,
  evidence: Evidence,
  write: (state: ManagerState) => Promise<void>,
): Promise<Outcome> {
  const begun = { ...canary, stage: 'deploying' as const, tries: canary.tries + 1 }
  await write({ ...state, canary: begun })
  const deployed = await hands.prepare(await builder.build(canary.setup, config.env))
  await hands.share({ [state.serving.deployed]: 1 - config.share, [deployed]: config.share })
  const sinceMs = now()
  return {
    state: { ...state, canary: { ...canary, tries: 0, deployed, stage: 'serving', sinceMs } },
    // From now on both are measured, side by side.
    evidence: { ...evidence, serving: emptyWindow(), canary: emptyWindow() },
    lastRun: { atMs: sinceMs, did: 'tried', why: canary.summary },
  }
}

/** Gives all new sessions to the canary, or to what served before. Begun twice it is the same. */
async function end(
  { builder, config, hands, now }: LapTools,
  state: ManagerState,
  canary: Canary,
  evidence: Evidence,
): Promise<Outcome> {
  const isAdopted = canary.stage === 'adopting'
  if (isAdopted) await hands.serve(await builder.build(canary.setup, config.env))
  else await hands.share({ [state.serving.deployed]: 1 })
  const { deployed, id, setup } = canary
  const atMs = now()
  return {
    state: { ...state, canary: null, ...(isAdopted && { serving: { id, deployed, setup, sinceMs: atMs } }) },
    evidence: { ...evidence, serving: emptyWindow(), canary: emptyWindow() },
    lastRun: { atMs, did: isAdopted ? 'adopted' : 'rolled back', why: canary.why ?? '' },
  }
}

function triedOf({ builder, now }: LapTools, round: ManagedRound, became: Tried['became'], why: string): Tried {
  const { id, measurement, setup, strategy } = round
  const { costPerMillionUsd, p50Ms, requests } = measurement
  return {
    ...{ id, notation: printSetup(setup, builder.app), strategy, atMs: now(), became, why, requests },
    p50Ms: Number.isFinite(p50Ms.value) ? p50Ms.value : null,
    costPerMillionUsd: costPerMillionUsd?.value ?? null,
  }
}
