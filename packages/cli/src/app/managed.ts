import { setTimeout as pause } from 'node:timers/promises'
import type { Clients, DeployOptions } from '@fusionize/aws'
import type { App, FusionSetup } from 'fusionize/setup'
import { validate } from 'fusionize/setup'
import { knownState, type LastRun, type ManagerState, type Spent, type Tried } from '../manager/state.js'
import type { LoadedApp } from './load-app.js'

/** What is known of the manager of a deployed app. */
export interface DeployedManager {
  /** Its function is there. */
  isThere: boolean
  /** Undefined: it has not run yet. */
  state?: ManagerState
}

/** Looks whether a deployed app has a manager, and reads what that remembers. @throws {FusionizeError} `DEPLOY_FAILED` */
export async function deployedManager(
  loaded: LoadedApp,
  options: DeployOptions,
  clients: Clients,
): Promise<DeployedManager> {
  const { hasManager, managerStore, settingsOf } = await import('@fusionize/aws')
  const settings = settingsOf(loaded.name, options)
  if (!(await hasManager(clients, settings))) return { isThere: false }
  const stored = await managerStore(clients, settings).read()
  const state = knownState(stored?.head)
  return { isThere: true, ...(state && { state }) }
}

/** Longest time for which a deployment keeps the manager from beginning a run, ms; it ends with the deployment. */
const LONGEST_DEPLOYMENT_MS = 15 * 60_000
const LOOK_MS = 1000

/**
 * Runs `work` while the app's manager does nothing: waits for a run that is under way, and lets none begin. Without a manager it just runs.
 * @param onWait told once when it waits, until when it may have to: epoch ms
 */
export async function besideManager<T>(
  loaded: LoadedApp,
  options: DeployOptions,
  clients: Clients,
  work: () => Promise<T>,
  onWait: (untilMs: number) => void,
): Promise<T> {
  const { managerStore, settingsOf } = await import('@fusionize/aws')
  const store = managerStore(clients, settingsOf(loaded.name, options))
  for (let waits = 0; ; ) {
    const stored = await store.read()
    const state = knownState(stored?.head)
    if (!stored || !state) return work()
    const { claim } = state
    if (claim && claim.untilMs > Date.now()) {
      if (waits++ === 0) onWait(claim.untilMs)
      await pause(LOOK_MS)
      continue
    }
    const ours = { ...state, claim: { run: 'deploy', untilMs: Date.now() + LONGEST_DEPLOYMENT_MS } }
    if (!(await store.write(stored.revision, ours))) continue
    try {
      return await work()
    } finally {
      await store.write(stored.revision + 1, { ...state, claim: null })
    }
  }
}

/** What a manager did last and when, which setups it tried, and what it costs; for `status`. */
export interface ManagerReport {
  /** Null: it has not run yet. */
  lastRun: LastRun | null
  /** Ids of the setup in service and of the one on trial, as far as it has looked. */
  serving: string | null
  trial: string | null
  /** It has found nothing more to improve, and watches. */
  isDone: boolean
  tried: Tried[]
  /** `share`: its cost as a share of the app's, as far as that was seen; null without requests. */
  spent: Spent & { share: number | null }
}

/** Undefined without a manager. */
export function managerReport({ isThere, state }: DeployedManager): ManagerReport | undefined {
  if (!isThere) return undefined
  const spent = state?.spent ?? { sinceMs: 0, runs: 0, usd: 0, requests: 0, appUsd: 0 }
  return {
    lastRun: state?.lastRun ?? null,
    serving: state?.serving.id ?? null,
    trial: state?.canary?.id ?? null,
    isDone: state?.isDone ?? false,
    tried: state?.tried ?? [],
    spent: { ...spent, share: spent.appUsd > 0 ? spent.usd / spent.appUsd : null },
  }
}

/** The setup that the manager has in service, if the app can still be in it. */
export function managedSetup({ state }: DeployedManager, app: App, loaded: LoadedApp): FusionSetup | undefined {
  const setup = state?.serving.setup
  if (!setup) return undefined
  const memoryLadder = Object.values(setup.functions).map(({ memory }) => memory)
  return validate(app, setup, loaded.config.constraints, { memoryLadder }).length === 0 ? setup : undefined
}
