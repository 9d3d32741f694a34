import type { Architecture, Runtime, Settings } from './settings.js'

/** A statement of an IAM policy. Every one names the resources that it is about. */
export interface Statement {
  Sid?: string
  Effect: 'Allow'
  Action: string[]
  Resource: string[]
  /** By operator and key of the request's context. */
  Condition?: Record<string, Record<string, string[]>>
}

export interface PolicyDocument {
  Version: '2012-10-17'
  Statement: Statement[]
}

/** An inline policy of a role. */
export interface Policy {
  name: string
  document: PolicyDocument
}

export interface RoleResource {
  kind: 'role'
  name: string
  /** Service that may take the role. */
  service: 'lambda.amazonaws.com' | 'scheduler.amazonaws.com'
  /** `base`, and one for each setup. */
  policies: Policy[]
}

export interface LogGroupResource {
  kind: 'log-group'
  name: string
  retentionDays: number
}

export interface FunctionResource {
  kind: 'function'
  name: string
  /** As the app knows it. */
  function: string
  /** Tasks whose code it contains. */
  tasks: string[]
  role: string
  runtime: Runtime
  architecture: Architecture
  memoryMb: number
  timeoutS: number
  handler: 'index.handler'
  environment: Record<string, string>
  code: Code
  /** Reserved; absent = what the account has. */
  concurrency?: number
}

/** What is known of a function's zip. */
export interface Code {
  /** SHA-256 of the zip, base64: Lambda's `CodeSha256`. */
  sha256: string
  bytes: number
  unzippedBytes: number
}

/** The alias by which sessions reach a function in one setup; points to the version published for it. */
export interface AliasResource {
  kind: 'alias'
  functionName: string
  name: string
}

/** How events are retried that nobody waits for, and where those go that fail for good. */
export interface AsyncResource {
  kind: 'async'
  functionName: string
  qualifier: string
  retries: number
  maxAgeS: number
  /** ARN of the queue of dead letters; absent: nowhere. */
  onFailure?: string
}

export interface UrlResource {
  kind: 'url'
  functionName: string
  qualifier: string
  auth: 'AWS_IAM' | 'NONE'
  /** Whether Lambda passes answers on as they come; then the function streams them. */
  mode: 'BUFFERED' | 'RESPONSE_STREAM'
}

export interface BucketResource {
  kind: 'bucket'
  name: string
  /** Days after which objects go, by the beginning of their keys. */
  expiry: { prefix: string; days: number }[]
}

export interface TableResource {
  kind: 'table'
  name: string
  /** Names of the partition key, the sort key and the attribute with the time to live. */
  partitionKey: string
  sortKey: string
  expires: string
}

export interface QueueResource {
  kind: 'queue'
  name: string
  /** What it is for, in words. */
  keeps: string
  retentionS: number
  /** For which nobody else gets a message that a function has; absent: SQS's own 30 s. */
  visibilityS?: number
}

/** Has the messages of a queue given to a function, in batches whose failures come again one by one. */
export interface MappingResource {
  kind: 'mapping'
  functionName: string
  qualifier: string
  /** Name of the queue, and its ARN. */
  queue: string
  queueArn: string
}

export interface ScheduleGroupResource {
  kind: 'schedule-group'
  name: string
}

export interface ScheduleResource {
  kind: 'schedule'
  group: string
  name: string
  expression: string
  functionName: string
  /** Absent: what is not published. */
  qualifier?: string
  /** What the function is asked for, in words. */
  asks: string
  /** ARN of the role that the scheduler takes. */
  role: string
  /** What the function is invoked with: JSON. */
  input: string
}

/** The function that changes setups by itself. It has no versions: nobody has a session with it. */
export interface ManagerResource {
  kind: 'manager'
  function: FunctionResource
}

export type Resource =
  | RoleResource
  | LogGroupResource
  | FunctionResource
  | ManagerResource
  | AliasResource
  | AsyncResource
  | UrlResource
  | BucketResource
  | TableResource
  | QueueResource
  | MappingResource
  | ScheduleGroupResource
  | ScheduleResource

/** All that should be there once a setup is deployed: what the plan, the estimate and the exports are made from. */
export interface Desired {
  /** Id of the setup. */
  setup: string
  /** Id of this setup with this code and configuration: `<setup>-<8 hex digits>`. */
  deployed: string
  settings: Settings
  resources: Resource[]
  /** What of the setup means nothing on Lambda, in words. */
  ignored: string[]
}

/** Where a schedule's invocations go, from the name on. */
export function targetOf({ functionName, qualifier }: ScheduleResource): string {
  return qualifier === undefined ? functionName : `${functionName}:${qualifier}`
}

/** The desired resources of one kind. */
export function ofKind<K extends Resource['kind']>(desired: Desired, kind: K): Extract<Resource, { kind: K }>[] {
  return desired.resources.filter((one): one is Extract<Resource, { kind: K }> => one.kind === kind)
}
