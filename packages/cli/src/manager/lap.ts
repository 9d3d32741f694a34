import type { Hands, ManagerStore } from '@fusionize/aws'
import type { PlannerFacts, Strategy } from '@fusionize/planner'
import type { SealedBuilder } from '@fusionize/platform/sealed'
import { type InvocationRecord, parseRecord } from 'fusionize/record'
import { printSetup, setupId } from 'fusionize/setup'
import type { ManagerConfig } from './config.js'
import { type Action, decide } from './decide.js'
import { readingOf } from './reading.js'
import { appCostOf, runCost } from './spent.js'
import {
  type Canary,
  type Evidence,
  emptyEvidence,
  emptyWindow,
  type InService,
  type LastRun,
  type ManagedRound,
  type ManagerState,
  newState,
  remember,
  type Tried,
} from './state.js'
import { extended } from './window.js'

export interface LapTools {
  config: ManagerConfig
  builder: SealedBuilder
  strategy: Strategy
  facts: PlannerFacts
  hands: Hands
  store: ManagerStore
  /** Epoch ms. */
  now(): number
  /** Of this run, and until when it is over at the latest, epoch ms. */
  run: { id: string; beganMs: number; untilMs: number; memoryMb: number }
}

/** Setups tried for one app and goal. */
const MOST_SETUPS = 10
/** Runs that may begin to deploy a setup: one that dies three times in it is not to blame on chance. */
const MOST_TRIES = 3
/** How far back a reading goes that got to the end, in periods of the schedule, and one after a reading that did not, ms. */
const LOOK_BACK = { periods: 4, behindMs: 5 * 60_000 }

/** A run that stops here leaves everything to another one. */
class Superseded extends Error {}

/**
 * One run: reads what was seen since the last one, and goes one step of the loop at most. Everything that changes what serves is written down before it is
 * begun; what a run before did not end is ended first, and is all that this one does.
 */
export async function runLap(tools: LapTools): Promise<LastRun> {
  const { config, now, run, store } = tools
  const stored = await store.read()
  let revision = stored?.revision ?? 0
  let state = stored?.head as ManagerState | undefined
  const nothing = (why: string): LastRun => ({ atMs: now(), did: 'nothing', why })
  if (state?.claim && state.claim.untilMs > now())
    return nothing(`run ${state.claim.run} is at work until ${new Date(state.claim.untilMs).toISOString()}`)

  const serving = await inService(tools, state)
  if (!serving) return nothing('neither the setup of the deployment nor one of its own is in service; deploy again')
  const isOther = state?.key !== config.key || state.serving.deployed !== serving.deployed
  state = isOther || !state ? newState(config.key, serving, state) : state

  /** Writes the head, unless somebody else did. */
  async function write(next: ManagerState): Promise<void> {
    if (!(await store.write(revision, next))) throw new Superseded()
    revision++
    state = next
  }

  try {
    await write({ ...state, claim: { run: run.id, untilMs: run.untilMs } })
    const before =
      isOther || state.evidence === null
        ? undefined
        : ((await store.readEvidence(state.evidence)) as Evidence | undefined)
    const { evidence, fresh } = await look(tools, state, before ?? emptyEvidence())
    const outcome = await step(tools, state, evidence, write)
    const old = state.evidence
    const kept = await store.writeEvidence(outcome.evidence)
    const spent = runCost(state.spent, appCostOf(fresh, tools.facts), { ...run, endedMs: now() }, tools.facts)
    await write({ ...outcome.state, spent, evidence: kept, lastRun: outcome.lastRun, claim: null })
    if (old !== null) await store.removeEvidence(old)
    return outcome.lastRun
  } catch (error) {
    if (error instanceof Superseded) return nothing('another run took over')
    // The next run goes on from what was written down.
    const why = error instanceof Error ? error.message : String(error)
    await write({ ...state, lastRun: { atMs: now(), did: 'failed', why }, claim: null })
    throw error
  }
}

/** The setup that has new sessions: its own, or the one that somebody deployed with this manager; undefined: another. */
async function inService(
  { config, hands, now }: LapTools,
  state: ManagerState | undefined,
): Promise<InService | undefined> {
  const served = await hands.served()
  const has = (deployed: string) => served.some((one) => one.deployed === deployed && one.share > 0)
  if (state?.key === config.key) {
    if (has(state.serving.deployed)) return state.serving
    // It was about to be adopted, and has all sessions already.
    if (state.canary?.stage === 'adopting' && has(state.canary.deployed)) return state.serving
  }
  const id = setupId(config.setup)
  const found = served.find(({ deployed, share }) => deployed.startsWith(`${id}-`) && share > 0)
  return found && { id, deployed: found.deployed, setup: config.setup, sinceMs: now() }
}

/** Reads what came since the last time. */
async function look({ config, hands, now }: LapTools, state: ManagerState, before: Evidence) {
  const { everyMinutes = 15 } = config.deploy.managed
  const from = now() - (before.isBehind ? LOOK_BACK.behindMs : LOOK_BACK.periods * everyMinutes * 60_000)
  const page = await hands.sightings(before.cursor ?? undefined, Math.max(from, state.serving.sinceMs))
  const fresh = page.lines.map(parseRecord).filter(({ start }) => page.until === undefined || start < page.until)
  const { canary, serving } = state
  const since = canary?.sinceMs ?? serving.sinceMs
  const of = (one: InService | null): InvocationRecord[] =>
    one ? fresh.filter(({ setup, start }) => setup === one.id && start >= since) : []
  const failures = (one: InService | null) =>
    one ? page.failures.filter(({ deployed, time }) => deployed === one.deployed && time >= since).length : 0
  const evidence: Evidence = {
    ...before,
    ...{ cursor: page.next, isBehind: page.until !== undefined },
    serving: extended(before.serving, of(serving), failures(serving)),
    canary: extended(before.canary, of(canary), failures(canary)),
  }
  return { evidence, fresh }
}

interface Outcome {
  state: ManagerState
  evidence: Evidence
  lastRun: LastRun
}

/** Ends what was begun, else decides and does it. @param write writes the head down before anything changes */
async function step(
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
  const { deployed } = await hands.prepare(await builder.build(canary.setup, config.env))
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
