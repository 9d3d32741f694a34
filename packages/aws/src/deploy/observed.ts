import type { FunctionResource, UrlResource } from './resources.js'

/** Code and configuration of a function's version, as far as the deployer decides them. */
export interface ObservedConfiguration {
  codeSha256: string
  runtime: string
  architecture: string
  memoryMb: number
  timeoutS: number
  handler: string
  /** ARN. */
  role: string
  environment: Record<string, string>
}

export interface ObservedAlias {
  version: string
  description: string
  /** Share of requests by version, for those besides `version`. */
  weights: Record<string, number>
}

export interface ObservedAsync {
  retries: number | undefined
  maxAgeS: number | undefined
  onFailure: string | undefined
}

export interface ObservedFunction {
  name: string
  latest: ObservedConfiguration
  versions: Record<string, ObservedConfiguration>
  aliases: Record<string, ObservedAlias>
  /** By alias. */
  async: Record<string, ObservedAsync>
  /** Of the alias `live`. */
  url?: Pick<UrlResource, 'auth' | 'mode'> & { url: string }
  /** Ids of the statements that let callers in by `live`. */
  allowed: string[]
  concurrency?: number
}

export interface ObservedSchedule {
  name: string
  expression: string
  target: string
  role: string
  input: string
}

/** What is there of an app. */
export interface Observed {
  functions: Map<string, ObservedFunction>
  /** Documents of inline policies, by role and policy. */
  roles: Map<string, Map<string, string>>
  /** Retention in days by log group; null = for ever. */
  logGroups: Map<string, number | null>
  bucket: { isTagged: boolean; isPrivate: boolean; isEncrypted: boolean; expiry: Record<string, number> } | null
  table: { isReady: boolean; expires: string | null } | null
  queues: Map<string, { url: string; retentionS: number; visibilityS: number }>
  /** Of the queue of times. */
  mappings: { id: string; functionArn: string; isOn: boolean }[]
  /** Schedules by group. */
  scheduleGroups: Map<string, ObservedSchedule[]>
  /** The function of the app's manager. */
  manager: ObservedFunction | null
  quotas: { unreservedConcurrency: number; codeBytes: number; usedCodeBytes: number } | null
  /** What has a name of the app's but not its tag: `function fusionize-shop-cart`. */
  strangers: string[]
}

/** As if nothing were deployed. */
export function nothingObserved(): Observed {
  return {
    functions: new Map(),
    roles: new Map(),
    logGroups: new Map(),
    bucket: null,
    table: null,
    queues: new Map(),
    mappings: [],
    scheduleGroups: new Map(),
    manager: null,
    quotas: null,
    strangers: [],
  }
}

/** Whether a version does what is desired, code and configuration. @param roleArn of the desired role */
export function isSame(observed: ObservedConfiguration, desired: FunctionResource, roleArn: string): boolean {
  return isSameCode(observed, desired) && isSameConfiguration(observed, desired, roleArn)
}

export function isSameCode(observed: ObservedConfiguration, { code, architecture }: FunctionResource): boolean {
  return observed.codeSha256 === code.sha256 && observed.architecture === architecture
}

export function isSameConfiguration(
  observed: ObservedConfiguration,
  desired: FunctionResource,
  roleArn: string,
): boolean {
  const { environment, handler, memoryMb, runtime, timeoutS } = desired
  return (
    observed.runtime === runtime &&
    observed.memoryMb === memoryMb &&
    observed.timeoutS === timeoutS &&
    observed.handler === handler &&
    observed.role === roleArn &&
    isSameRecord(observed.environment, environment)
  )
}

export function isSameRecord(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
}

/** What is the app's own, and names of what only looks like it. */
export interface Found<T> {
  own: T
  strangers: string[]
}
