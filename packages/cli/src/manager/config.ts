import type { DeployOptions } from '@fusionize/aws'
import type { Goal } from '@fusionize/planner'
import type { Constraints, FusionSetup } from 'fusionize/setup'

/** What a manager is told when it is deployed: `manager.json` in its zip. */
export interface ManagerConfig {
  version: 1
  /** See `ManagerState.key`. */
  key: string
  /** Of the app; with `managed`. */
  deploy: DeployOptions & { prefix: string; managed: NonNullable<Exclude<DeployOptions['managed'], false>> }
  /** Environment of every function. */
  env: Record<string, string>
  goal: Goal
  constraints: Constraints
  strategy: string
  /** The setup that was deployed with it. */
  setup: FusionSetup
  /** Requests of each setup that a decision takes. */
  requests: number
  /** Share of new sessions that a setup on trial gets, from 0 to 1. */
  share: number
  /** Ms after its reply from which a request counts; another where tests do not wait for CloudWatch. */
  settleMs: number
  /** Ms between two questions whether AWS has done something; another where tests ask a double. */
  pollMs: number
}

/** Defaults of what the configuration of an app says of its manager, under `aws.manager`. */
export const managerDefaults = {
  everyMinutes: 15,
  strategy: 'plan',
  requests: 300,
  share: 0.2,
  settleMs: 60_000,
  pollMs: 1000,
} as const

/** Names of the files in the manager's zip; `app/` has the sealed app's. */
export const zipNames = { config: 'manager.json', sealed: 'sealed.json', app: 'app' } as const
