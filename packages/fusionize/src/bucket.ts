import { Leases } from '#leasing'
import { type BucketDefinition, bucketKey, definitionOf, type TaskDefinition } from './definition.js'
import { FusionizeError } from './errors.js'
import { declare, get, promise, put, source } from './runtime/objects.js'
import { signalOf, stop } from './runtime/sources.js'
import { support } from './runtime/support.js'
import type { Task } from './task.js'
import { incompleteTask } from './triggers/constructors.js'
import type { Trigger } from './triggers/custom.js'
import type { Json } from './types.js'

/** One object of a bucket, as a trigger's task gets it. */
export interface BucketObject<T> {
  readonly key: string
  readonly value: T
  /** The session that put it. */
  readonly session: string
  readonly group?: string
}

/** What the task of a trigger gets: one object or, of triggers that gather, all in the trigger's order; or only the keys. */
export type Delivered<T, S extends Trigger> = S['kind'] extends 'immediate' | 'byName'
  ? S['delivers'] extends 'keys'
    ? string
    : BucketObject<T>
  : S['delivers'] extends 'keys'
    ? string[]
    : BucketObject<T>[]

/** Options of `put`. */
export interface PutOptions {
  /** For `dynamicGroup`. @default '' */
  group?: string
}

/** A promise that a task will put a key, and what happens when it does not. */
export interface SourcePromise {
  key: string
  /** The task that puts it; it was started by a send or a trigger of this session. */
  from: { readonly taskName: string }
  /** Ms until it is run again, doubling with every attempt. */
  within: number
  /** Runs at most, the first included; what exhausts them is a dead letter. @default 3 */
  attempts?: number
  /** What is run again: the task, or the request that the session began with, as a session of its own. @default 'source' */
  rerun?: 'source' | 'session'
}

/** Objects that pass between tasks by data instead of by calls; see docs/reference/triggers.md. */
export interface Bucket<T> {
  readonly bucketName: string
  /** Has `task` started with the objects that `trigger` chooses. Several triggers know nothing of each other. */
  on<S extends Trigger, O>(trigger: S, task: Task<Delivered<T, S>, O>): Bucket<T>
  /**
   * Puts an object. Resolves when it counts.
   * @throws {FusionizeError} `KEY_CONFLICT`, `SESSION_CLOSED`, `GROUP_CLOSED`: it does not count; `PAYLOAD_TOO_LARGE`
   */
  put(key: string, value: T, options?: PutOptions): Promise<void>
  /** The object of this session that is live under the key; undefined when none is. */
  get(key: string): Promise<T | undefined>
  /** Names the source that this run is, for `dynamicGroup` and `redundant`: done when the run succeeds. Without a name it is the run's id. */
  source(name: string): void
  /** Declares, once a generation, the keys that `dynamicJoin` waits for, or the sources of `dynamicGroup`. @throws {FusionizeError} `JOIN_CONFLICT`, `INVALID_CONFIG` */
  expect(keys: readonly string[] | { readonly sources: readonly string[] }): Promise<void>
  /** Has a task run again that has not put its key in time. */
  expect(promise: SourcePromise): Promise<void>
}

/** JSON or bytes, as the whole value. */
type Storable<T> = [T] extends [Json | Uint8Array] ? unknown : T extends object ? unknown : never

/**
 * Names a bucket. Exported from a file without a task, so that every function can contain it.
 * @param name unique in the app; lower-case letters, digits and dashes
 * @throws {FusionizeError} `INVALID_CONFIG` for a bad name
 * @example export const frames = bucket<Frame>('frames').on(byBatchSize(10), detect)
 */
export function bucket<T = Json>(name: string & Storable<T>): Bucket<T> {
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name))
    throw new FusionizeError(
      'INVALID_CONFIG',
      `bucket name ${JSON.stringify(name)} is not valid: use lower-case letters, digits and dashes, a letter first`,
    )
  support.Leases = Leases
  support.signalOf = signalOf
  support.stop = stop
  const definition: BucketDefinition = { name, triggers: [], tasks: new Map() }
  const self: Bucket<T> = {
    bucketName: name,
    on(trigger, task) {
      const incomplete = (trigger as { [incompleteTask]?: unknown })[incompleteTask]
      addTask(definition, incomplete)
      definition.triggers.push({ spec: trigger, task: addTask(definition, task) as TaskDefinition })
      return self
    },
    put: (key, value, options) => put(definition, key, value, options?.group),
    get: (key) => get(definition, key) as Promise<T | undefined>,
    source: (named) => source(definition, named),
    expect: (what: readonly string[] | { sources?: readonly string[] } | SourcePromise) =>
      'key' in what ? promise(definition, what) : declare(definition, what),
  }
  Object.defineProperty(self, bucketKey, { value: definition })
  return self
}

/**
 * Bytes in memory that all threads of a node share. Put into a bucket they are not copied on their way to a task in another thread; until
 * then fill them, afterwards leave them as they are: whoever has the object sees the same memory.
 * @param length in bytes
 */
export function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length))
}

function addTask(definition: BucketDefinition, task: unknown): TaskDefinition | undefined {
  if (task === undefined) return undefined
  const found = definitionOf(task)
  if (found === undefined)
    throw new FusionizeError(
      'INVALID_CONFIG',
      `bucket '${definition.name}': a trigger was given ${task === null ? 'null' : typeof task} instead of a task; ` +
        'a task in a cycle of imports is not defined yet when the bucket is: break the cycle',
    )
  definition.tasks.set(found.name, found)
  return found
}
