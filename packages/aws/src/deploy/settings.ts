import { FusionizeError } from 'fusionize'
import type { Constraints } from 'fusionize/setup'
import { prefixOf } from '../names.js'

export type Runtime = 'nodejs22.x' | 'nodejs24.x'
export type Architecture = 'arm64' | 'x86_64'

/** Defaults of `ManagedOptions`. */
export const managedDefaults = { everyMinutes: 15 } as const

/** A manager that changes setups by itself. */
export interface ManagedOptions {
  /** Minutes between two runs of it. @default 15 */
  everyMinutes?: number
  /** What no setup may do: functions get no permission for more. */
  constraints?: Constraints
}

/** What a deployment may be told; everything but where it goes has a default. */
export interface DeployOptions {
  /** Account that owns the resources: 12 digits. */
  account: string
  region: string
  /** Beginning of every name. @default `fusionize-<app>` */
  prefix?: string | undefined
  /** @default 'nodejs22.x' */
  runtime?: Runtime | undefined
  /** @default 'arm64': a fifth cheaper */
  architecture?: Architecture | undefined
  /** Days for which logs, and so records, are kept. @default 14 */
  retentionDays?: number | undefined
  /** See docs/decisions/040-aws.md. @default 'extension' */
  afterReply?: 'extension' | 'before-reply' | undefined
  /**
   * Who may call function URLs; `'off'`: there are none, for entries behind an API Gateway of one's own.
   * @default 'AWS_IAM': only signed requests; what is open to the world must have been decided
   */
  functionUrlAuth?: 'AWS_IAM' | 'NONE' | 'off' | undefined
  /** Entries stream what they answer by their URLs: 200 MB instead of 6, and bytes as they are. @default false */
  streaming?: boolean | undefined
  /** Reserved concurrency by function: never more at a time, and taken from the account's. @default none */
  concurrency?: Record<string, number> | undefined
  /** Time limit of a task that sets none, ms. @default 30000 */
  timeoutMs?: number | undefined
  /** One invocation in this many carries CPU time per span. @default 10 */
  sampleCpuEvery?: number | undefined
  /** Source maps beside the code, for stacks in the words of the source; makes cold starts longer. @default false */
  sourceMaps?: boolean | undefined
  /** Ms for which a setup that was replaced goes on to serve its sessions. @default 21600000: as long as Lambda keeps an event */
  keepMs?: number | undefined
  /**
   * Whether the app has a manager; `false` takes away what there is. Absent: there must be none, for what is deployed by somebody else it would undo.
   * @default none
   */
  managed?: ManagedOptions | false | undefined
  /** See `Environment.retryMs`. */
  retryMs?: number | undefined
  /** See `Environment.sweepMs`. */
  sweepMs?: number | undefined
}

/** Defaults of `DeployOptions`. */
export const deployDefaults = {
  runtime: 'nodejs22.x',
  architecture: 'arm64',
  retentionDays: 14,
  afterReply: 'extension',
  functionUrlAuth: 'AWS_IAM',
  streaming: false,
  timeoutMs: 30_000,
  sampleCpuEvery: 10,
  sourceMaps: false,
  keepMs: 6 * 3600_000,
} as const satisfies Partial<DeployOptions>

/** `DeployOptions` with every default. */
export type Settings = {
  [K in keyof Required<Omit<DeployOptions, 'managed' | 'retryMs' | 'sweepMs'>>]: NonNullable<DeployOptions[K]>
} & {
  app: string
  managed?: ManagedOptions | false
  retryMs?: number
  sweepMs?: number
}

/** Days that CloudWatch Logs can keep logs for (PutRetentionPolicy, CloudWatch Logs API Reference). */
export const retentionChoices = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]

/** Longest prefix: S3 names have at most 63 characters, 28 of which are account and region. */
const LONGEST_PREFIX = 35

/**
 * The options with their defaults.
 * @throws {FusionizeError} `INVALID_CONFIG` for a prefix that AWS does not allow in all names, or another impossible option
 */
export function settingsOf(app: string, options: DeployOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const settings: Settings = {
    concurrency: {},
    prefix: prefixOf(app),
    ...deployDefaults,
    ...options,
    ...given,
    app,
  } as Settings
  const { prefix, retentionDays } = settings
  if (!/^[a-z][a-z0-9-]*[a-z0-9]$/.test(prefix) || prefix.length > LONGEST_PREFIX)
    throw new FusionizeError(
      'INVALID_CONFIG',
      `'${prefix}' cannot begin the names of AWS resources: it takes lower-case letters, digits and dashes, at most ${LONGEST_PREFIX}; set aws.prefix`,
      { prefix },
    )
  if (!retentionChoices.includes(retentionDays))
    throw new FusionizeError(
      'INVALID_CONFIG',
      `CloudWatch keeps logs for ${retentionChoices.slice(0, 7).join(', ')}… days, not for ${retentionDays}; set aws.retentionDays to one of ${retentionChoices.join(', ')}`,
      { retentionDays },
    )
  return settings
}

/** `aws`, or the partition of a region in China or of a government. */
export function partitionOf(region: string): string {
  // a template's: known when it is deployed
  if (region === `\${AWS::Region}`) return `\${AWS::Partition}`
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}

/** ARN of a resource in the deployment's account and region. */
export function arnOf({ account, region }: Pick<Settings, 'account' | 'region'>, service: string, resource: string) {
  return `arn:${partitionOf(region)}:${service}:${region}:${account}:${resource}`
}

/** ARN of a role, which has no region. */
export function roleArn({ account, region }: Pick<Settings, 'account' | 'region'>, name: string): string {
  return `arn:${partitionOf(region)}:iam::${account}:role/${name}`
}

/** ARN of an S3 bucket or of keys in it. */
export function s3Arn({ region }: Pick<Settings, 'region'>, path: string): string {
  return `arn:${partitionOf(region)}:s3:::${path}`
}

/** Where SQS is asked for a queue ("Queue and message identifiers", Amazon SQS Developer Guide). */
export function queueUrl({ account, region }: Pick<Settings, 'account' | 'region'>, queue: string): string {
  return `https://sqs.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/${account}/${queue}`
}
