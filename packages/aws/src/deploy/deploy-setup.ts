import { GetFunctionUrlConfigCommand } from '@aws-sdk/client-lambda'
import type { Build } from '@fusionize/platform'
import { type ApplyOptions, applyPlan } from './apply.js'
import type { Clients } from './clients.js'
import { desiredResources } from './desired.js'
import { managerKey } from './desired-manager.js'
import { failing } from './failure.js'
import { observe } from './observe.js'
import { nothingObserved, type Observed } from './observed.js'
import { parallel } from './parallel.js'
import { planDeployment } from './plan.js'
import { type Desired, ofKind } from './resources.js'
import { type DeployOptions, deployDefaults, settingsOf } from './settings.js'
import type { Plan } from './steps.js'
import { type CodePackage, packageCode } from './zip.js'

/** A deployment that was thought through and not yet begun. */
export interface Preparation {
  desired: Desired
  plan: Plan
  observed: Observed
  /** The zips, by function. */
  code: Record<string, CodePackage>
}

/** What a deployment came to. */
export interface Deployment {
  /** Id of the setup. */
  setup: string
  /** Id of the setup with this code and configuration, as `Environment.setup` and the alias `setup-<deployed>` have it. */
  deployed: string
  /** Functions of the app whose code or configuration was changed. Sorted. */
  changed: string[]
  /** Addresses of entries, by task. */
  urls: Record<string, string>
  plan: Plan
}

export type DeployRun = Pick<ApplyOptions, 'onStep' | 'signal' | 'pace' | 'atOnce'>

/**
 * Packs the code, reads what is there, and plans the changes; changes nothing.
 * @param clients null = as if nothing were deployed
 * @param manager code of the app's manager, where `options` say that there is one
 * @throws {FusionizeError} `INVALID_CONFIG` or `DEPLOY_FAILED`
 */
export async function prepareDeployment(
  build: Build,
  options: DeployOptions,
  clients: Clients | null,
  manager?: CodePackage,
): Promise<Preparation> {
  const settings = settingsOf(build.app.name, options)
  const code = { ...(await packageBuild(build, settings)), ...(manager && { [managerKey]: manager }) }
  const desired = desiredResources(build, code, options)
  const observed = clients ? await observe(clients, settings) : nothingObserved()
  return { desired, plan: planDeployment(desired, observed, { now: Date.now() }), observed, code }
}

/**
 * The zips of a build, by function.
 * @throws {FusionizeError} `DEPLOY_FAILED` when a package is not there, or was built for another machine
 */
export async function packageBuild(
  { artifacts }: Pick<Build, 'artifacts'>,
  {
    architecture = deployDefaults.architecture,
    sourceMaps = false,
  }: Pick<DeployOptions, 'architecture' | 'sourceMaps'>,
): Promise<Record<string, CodePackage>> {
  const packing = parallel(Object.entries(artifacts), 2, async ([fn, artifact]) => {
    return [fn, await packageCode(artifact, { architecture, sourceMaps })] as const
  })
  return Object.fromEntries(await packing)
}

/**
 * Brings a setup into service: new sessions take it from the moment this resolves, those under way finish on theirs. Running it again changes
 * nothing; after a failure it goes on where it stopped.
 * @throws {FusionizeError} `DEPLOY_FAILED`; the setup before serves on if it failed before the switch
 */
export async function deploySetup(
  build: Build,
  options: DeployOptions,
  clients: Clients,
  run: DeployRun = {},
): Promise<Deployment> {
  const preparation = await prepareDeployment(build, options, clients)
  return carryOutDeployment(preparation, clients, run)
}

/** Carries out what was prepared. @throws {FusionizeError} `DEPLOY_FAILED` */
export async function carryOutDeployment(
  { code, desired, plan }: Preparation,
  clients: Clients,
  run: DeployRun = {},
): Promise<Deployment> {
  await applyPlan(plan, clients, { ...run, code, settings: desired.settings })
  const { setup, deployed } = desired
  return { setup, deployed, changed: changedFunctions(plan), urls: await addressesOf(desired, clients), plan }
}

/** Where entries can be reached, by task. @throws {FusionizeError} `DEPLOY_FAILED` */
async function addressesOf(desired: Desired, { lambda }: Clients): Promise<Record<string, string>> {
  const functions = new Map(ofKind(desired, 'function').map((one) => [one.name, one.function]))
  const found = await parallel(ofKind(desired, 'url'), 4, async ({ functionName, qualifier }) => {
    const command = new GetFunctionUrlConfigCommand({ FunctionName: functionName, Qualifier: qualifier })
    const { FunctionUrl = '' } = await failing(`url of ${functionName}`, 'GetFunctionUrlConfig', () =>
      lambda.send(command),
    )
    return [functions.get(functionName) ?? functionName, FunctionUrl] as const
  })
  return Object.fromEntries(found)
}

/** Functions of the app that get a new version. */
export function changedFunctions({ steps }: Plan): string[] {
  return steps.flatMap(({ operation: op }) => (op.do === 'publish-version' ? op.function.function : [])).sort()
}
