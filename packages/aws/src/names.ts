import { createHash } from 'node:crypto'

import { setupAlias } from './runtime/aliases.js'

export { liveAlias, setupAlias, setupOfAlias } from './runtime/aliases.js'

/** Tag that marks what belongs to a deployed app; its value is the prefix. */
export const ownerTag = 'fusionize:prefix'

/** Characters that Lambda and IAM allow in a name. */
const LONGEST_NAME = 64

/** Prefix of everything that belongs to an app, unless its configuration says another. */
export function prefixOf(app: string): string {
  return `fusionize-${app}`
}

/** Name of the Lambda function, and of its role, for a function of the setup. */
export function functionName(prefix: string, fn: string): string {
  return shortName(`${prefix}-${fn}`)
}

/** The name itself when AWS takes it, else cut, with 8 hex digits of its SHA-256. */
export function shortName(name: string): string {
  if (name.length <= LONGEST_NAME) return name
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${name.slice(0, LONGEST_NAME - digest.length - 1)}-${digest}`
}

/** Name of the group of schedules that ask functions for work that was left behind. */
export function sweepName(prefix: string): string {
  return `${prefix}-sweep`
}

/** Role of these schedules; the dot keeps it apart from the role of a function called `sweep`. */
export function sweepRoleName(prefix: string): string {
  return `${prefix}.sweep`
}

/** Function of the app's manager, its role and its group of schedules; the underscore keeps them apart from those of a task. */
export function managerName(prefix: string): string {
  return `${prefix}_manager`
}

export function managerLogGroup(prefix: string): string {
  return `/aws/lambda/${managerName(prefix)}`
}

/** Role of the schedule that starts the manager. */
export function managerScheduleRoleName(prefix: string): string {
  return `${prefix}.manager`
}

/** Name of a setup's schedule for a Lambda function. */
export function sweepScheduleName(deployed: string, name: string): string {
  return shortName(`${setupAlias(deployed)}-${name}`)
}

/** The setup of a deployed setup's id: without the digits that stand for code and configuration. */
export function setupOfDeployed(deployed: string): string {
  return deployed.split('-')[0] ?? deployed
}

export function logGroup(prefix: string, fn: string): string {
  return `/aws/lambda/${functionName(prefix, fn)}`
}

/** Names in S3 are global, so they say whose they are. */
export function bucketName(prefix: string, account: string, region: string): string {
  return `${prefix}-${account}-${region}`
}

export function tableName(prefix: string): string {
  return prefix
}

/** Queue whose messages come as times to a function of an app with buckets. */
export function timeQueue(prefix: string): string {
  return `${prefix}-time`
}

export function deadLetterQueue(prefix: string): string {
  return `${prefix}-dead`
}
