import type { Context } from './runtime/frames.js'
import type { Route } from './setup/types.js'
import type { Trigger } from './triggers/custom.js'
import type { StandardSchema } from './types.js'

/** Options of a task. All values but `input` must be constants: the build reads them without running the code. */
export interface TaskOptions<Schema extends StandardSchema = StandardSchema> {
  /** Makes the task an entry. @example 'POST /readings' */
  http?: string
  /** Any Standard Schema: gives the input's type; requests from outside are checked against it. */
  input?: Schema
  /** Time limit of one run, ms. @default the platform's */
  timeout?: number
  /** Runs of a failed async invocation after the first. @default the platform's */
  retries?: number
  /** Bounds on the memory of the function that runs it, MB. */
  memory?: { min?: number; max?: number }
  /** Never shares a sandbox with another task. @default false */
  isolate?: boolean
  /** Permissions of the functions that run it, in the platform's words. */
  permissions?: string[]
  /** Answers requests from outside with the first object put there in their session, instead of with what the task returns. */
  result?: { readonly bucketName: string }
}

export const optionNames = [
  'http',
  'input',
  'timeout',
  'retries',
  'memory',
  'isolate',
  'permissions',
  'result',
] as const

/** What a task's author writes. The second argument is the current request, for those who do not want it implicit. */
export type TaskBody<I, O> = (input: I, context: Context) => O | Promise<O>

/** The inside of a task object, for the runtime. */
export interface TaskDefinition {
  readonly name: string
  readonly options: TaskOptions
  /** Absent in a stub: the code is in another function. */
  readonly body: TaskBody<unknown, unknown> | undefined
  /** What the router that saw this task last knows of it: makes routing one comparison. */
  link?: Link | undefined
}

/** The inside of a bucket, for the runtime. */
export interface BucketDefinition {
  readonly name: string
  /** In order: places make the ids of firings. */
  readonly triggers: { readonly spec: Trigger; readonly task: TaskDefinition }[]
  /** Every task that a trigger may start, by name. */
  readonly tasks: Map<string, TaskDefinition>
  /** Where the router that saw this bucket last evaluates it: makes finding it one comparison. */
  shard?: { readonly router: unknown } | undefined
}

/** A task as one router sees it. */
export interface Link {
  readonly router: unknown
  /** Index of the name in the router's table. */
  readonly name: number
  /** A function: how parallel branches run (`runtime/pool/spread.ts`). */
  call: Route | ((frame: Context, definition: TaskDefinition, input: unknown) => Promise<unknown>)
  readonly send: Route
  readonly map: Route
  /** It calls no task, as the source shows: it needs no frame of its own to be found by. */
  readonly leaf: boolean
}

/** Where a task object keeps its definition; a registered symbol, so that two copies of this package understand each other. */
export const definitionKey = Symbol.for('fusionize.task')

/** The definition inside a task object; undefined when `value` is no task. */
export function definitionOf(value: unknown): TaskDefinition | undefined {
  return typeof value === 'function' ? (value as { [definitionKey]?: TaskDefinition })[definitionKey] : undefined
}

/** Where a bucket keeps its definition. */
export const bucketKey = Symbol.for('fusionize.bucket')

/** The definition inside a bucket; undefined when `value` is none. */
export function bucketOf(value: unknown): BucketDefinition | undefined {
  return typeof value === 'object' && value !== null
    ? (value as { [bucketKey]?: BucketDefinition })[bucketKey]
    : undefined
}
