import { type InvocationRecord, parseRecord } from 'fusionize/record'
import { setupId } from 'fusionize/setup'
import { appCostOf, runCost } from './spent.js'
import {
  type Evidence,
  emptyEvidence,
  type InService,
  knownState,
  type LastRun,
  type ManagerState,
  newState,
} from './state.js'
import { step } from './step.js'
import type { LapTools } from './tools.js'
import { extended } from './window.js'

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
  let state = knownState(stored?.head)
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
  const evidence: Evidence = {
    ...before,
    ...{ cursor: page.next, isBehind: page.until !== undefined },
    serving: extended(before.serving, of(serving)),
    canary: extended(before.canary, of(canary)),
  }
  return { evidence, fresh }
}
