import type { Clients, DeployOptions } from '@fusionize/aws'
import type { App, FusionSetup } from 'fusionize/setup'
import { validate } from 'fusionize/setup'
import type { ManagerState } from '../manager/state.js'
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
  return { isThere: true, ...(stored && { state: stored.head as ManagerState }) }
}

/** The setup that the manager has in service, if the app can still be in it. */
export function managedSetup({ state }: DeployedManager, app: App, loaded: LoadedApp): FusionSetup | undefined {
  const setup = state?.serving.setup
  if (!setup) return undefined
  const memoryLadder = Object.values(setup.functions).map(({ memory }) => memory)
  return validate(app, setup, loaded.config.constraints, { memoryLadder }).length === 0 ? setup : undefined
}
