/** What a test may choose about its AWS. */
export interface AwsOptions {
  region: string
  /** Waits of Lambda and IAM are multiplied with this, so that a minute is some milliseconds. */
  delayScale: number
  /** How long a new function is Pending and an update InProgress, ms. */
  settleMs: number
  /** How long a new role cannot be assumed yet, ms. */
  rolePropagationMs: number
  /** Executions that the account may have at once; 1000 is an account's usual quota, 10 that of a new one. */
  accountConcurrency: number
  /** Longest that an environment may take to initialize, ms; 10 s in Lambda. */
  initLimitMs: number
  /** How long an execution environment stays that nobody uses, ms of the double's clock. */
  environmentIdleMs: number
  /** Chance that decides by an alias' weights, from 0 to below 1. */
  random: () => number
}

export const defaults: AwsOptions = {
  region: 'eu-central-1',
  delayScale: 0.001,
  settleMs: 20,
  rolePropagationMs: 0,
  accountConcurrency: 1000,
  initLimitMs: 10_000,
  environmentIdleMs: 300_000,
  random: Math.random,
}
