import type { Build } from '@fusionize/platform'
import type { App } from 'fusionize/setup'
import { applyPlan } from '../deploy/apply.js'
import type { Clients } from '../deploy/clients.js'
import { packageBuild } from '../deploy/deploy-setup.js'
import { desiredResources } from '../deploy/desired.js'
import { observeFunctions } from '../deploy/observe-functions.js'
import { observeNamed } from '../deploy/observe-named.js'
import { planDeployment } from '../deploy/plan.js'
import type { Desired, Resource } from '../deploy/resources.js'
import { type DeployOptions, settingsOf } from '../deploy/settings.js'
import { sharesOfAliases, shiftTraffic } from '../deploy/traffic.js'
import type { Pace } from '../deploy/wait.js'
import { functionName, logGroup } from '../names.js'
import { skipTo } from '../records/cursor.js'
import { readRecords } from '../records/read.js'
import { versionsOf } from '../records/versions.js'

/** A setup with its code that is there, and what it has of new sessions. */
export interface ServedSetup {
  /** Id of the deployed setup. */
  deployed: string
  /** From 0 to 1. */
  share: number
}

/** What was seen of the app. */
export interface Sightings {
  /** Record lines (`parseRecord`). */
  lines: string[]
  next: string
  /** Epoch ms up to which everything was read; absent: all that there was. */
  until?: number
}

/** What a manager does with an app on AWS: it knows everything by its name, lists nothing, and changes no permission. */
export interface Hands {
  served(): Promise<ServedSetup[]>
  /** @param from epoch ms before which nothing is read */
  sightings(since: string | undefined, from: number): Promise<Sightings>
  /** Makes a setup ready, and no session takes it. Returns the id of the deployed setup. */
  prepare(build: Build): Promise<string>
  /** Shares new sessions between deployed setups; weights are relative. */
  share(weights: Record<string, number>): Promise<void>
  /** All new sessions take the setup; what was replaced retires in its time. */
  serve(build: Build): Promise<void>
}

export interface HandsOptions extends Omit<DeployOptions, 'managed'> {
  app: App
  managed: NonNullable<DeployOptions['managed']>
  clients: Clients
  pace?: Partial<Pace>
}

/** Events of a function that are read in one run, about. */
const MOST_EVENTS = 10_000
/** What changes with a setup; all else was made by whoever deployed the manager. */
const changing: readonly Resource['kind'][] = ['function', 'alias', 'async', 'url', 'schedule']

/** @throws {FusionizeError} `INVALID_CONFIG` for options that AWS would refuse */
export function createHands({ app, clients, pace, ...options }: HandsOptions): Hands {
  const settings = settingsOf(app.name, options)
  const { prefix } = settings
  const tasks = Object.keys(app.tasks).sort()
  const names = tasks.map((task) => functionName(prefix, task))
  const groups = tasks.map((task) => logGroup(prefix, task))
  const source = { logs: clients.logs, app: app.name, versions: versionsOf(clients.lambda, prefix) }

  async function deploy(build: Build, serves: boolean) {
    const code = await packageBuild(build, settings)
    const whole = desiredResources(build, code, options)
    const desired: Desired = { ...whole, resources: whole.resources.filter(({ kind }) => changing.includes(kind)) }
    const observed = await observeNamed(clients, prefix, names)
    const plan = planDeployment(desired, observed, { now: Date.now(), serves })
    await applyPlan(plan, clients, { code, settings, pace })
    return desired.deployed
  }

  return {
    async served() {
      const { own } = await observeFunctions(clients.lambda, prefix, names)
      return [...sharesOfAliases(own.values())].map(([deployed, share]) => ({ deployed, share }))
    },

    async sightings(since, from) {
      const at = skipTo(groups, since, from)
      const { lines, next, until } = await readRecords(source, groups, at, Date.now(), MOST_EVENTS)
      return { lines, next, ...(until !== undefined && { until }) }
    },

    prepare: (build) => deploy(build, false),
    share: (weights) => shiftTraffic(prefix, weights, clients, { names }),
    serve: async (build) => void (await deploy(build, true)),
  }
}
