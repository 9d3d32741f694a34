import {
  type Clients,
  carryOutDeployment,
  createAwsPlatform,
  createClients,
  type ManagerStore,
  managerStore,
  prepareDeployment,
  settingsOf,
} from '@fusionize/aws'
import type { Platform } from '@fusionize/platform'
import type { FusionSetup } from 'fusionize/setup'
import { type Aws, startAws } from '../../../aws/test/double/index.js'
import { type LoadedApp, loadApp } from '../../src/app/load-app.js'
import { managedOptions, managerZip } from '../../src/app/manager-zip.js'
import type { LastRun, ManagerState } from '../../src/manager/state.js'

/** The double settles in milliseconds. */
const pace = { pollMs: 20, settleMs: 0, patienceMs: 20_000 }

/** An app with a manager on an AWS on this machine. */
export interface ManagedBed {
  aws: Aws
  clients: Clients
  platform: Platform
  /** Deploys with the manager. Returns what was done, as `resource: words`. */
  deploy(dir: string, setup: FusionSetup): Promise<{ loaded: LoadedApp; steps: string[]; deployed: string }>
  /** Has the manager started and waits until it is done. @param start what starts it, by default its schedule @throws when it left no word of itself */
  lap(start?: () => void): Promise<LastRun>
  store: ManagerStore
  state(): Promise<ManagerState>
}

export async function startManagedBed(name: string): Promise<ManagedBed & { close(): Promise<void> }> {
  const aws = await startAws({ settleMs: 5 })
  const { account, credentials, endpoint, region } = aws
  const clients = createClients(region, { endpoint, credentials })
  const where = { account, region }
  const platform = createAwsPlatform({ app: name, clients, ...where, retryMs: 55, run: { pace } })
  const prefix = `fusionize-${name}`
  const store = managerStore(clients, settingsOf(name, where))
  const log = `/aws/lambda/${prefix}_manager`
  const state = async () => (await store.read())?.head as ManagerState
  return {
    ...{ aws, clients, platform, store, state },
    async deploy(dir, setup) {
      const loaded = await loadApp(dir, {}, 'aws')
      const managed = managedOptions(loaded)
      const { manager: _, ...more } = loaded.config.aws
      const options = { ...more, ...where, prefix, retryMs: 55, managed }
      const zip = await managerZip(loaded, options, setup, { settleMs: 0, pollMs: 20 })
      const build = await loaded.builder.build(setup, loaded.config.env)
      const prepared = await prepareDeployment(build, options, clients, zip)
      const { deployed, plan } = await carryOutDeployment(prepared, clients, { pace })
      return { loaded, deployed, steps: plan.steps.map(({ resource, words }) => `${resource}: ${words}`) }
    },
    async lap(start = () => aws.scheduler.fire(`${prefix}_manager/${prefix}_manager`)) {
      const before = (await state())?.lastRun?.atMs
      start()
      await aws.lambda.drained()
      const last = (await state())?.lastRun
      if (!last || last.did === 'failed' || last.atMs === before)
        throw new Error(`${last?.why}\n${JSON.stringify(aws.lambda.failed.at(-1))}\n${aws.logs.messages(log).join('')}`)
      return last
    },
    async close() {
      await platform.destroy()
      await aws.close()
    },
  }
}
