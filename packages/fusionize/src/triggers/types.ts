import type { FusionizeError } from '../errors.js'
import type { Json } from '../types.js'

/** What a trigger's task gets: the objects, or only their keys. */
export type Delivers = 'objects' | 'keys'

/** What a trigger sees of an object. The value lives elsewhere. */
export interface ObjectMeta {
  key: string
  /** Place in the order of the bucket; see `BucketEvent`. */
  seq: number
  /** The put that made it: invocation and ordinal, the same over retries (`putIdOf`). */
  putId: string
  session: string
  /** Of the value's bytes; two values are the same exactly when their hashes are. */
  hash: string
  /** Size of the value, bytes. */
  bytes: number
  group?: string
  /** The invocation that put it. */
  source?: string
}

/** Whose objects meet in one state: those of one session, or all of the application. */
export type TriggerScope = 'session' | 'application'

interface BaseSpec<D> {
  /** What the task gets: the objects, or only their keys, to read itself. */
  delivers: D
}

interface GatheringSpec<D> extends BaseSpec<D> {
  /** Task that gets what is incomplete when the session ends; without it, it is recorded as discarded. */
  onIncomplete?: string
}

export interface ImmediateSpec<D = Delivers> extends BaseSpec<D> {
  kind: 'immediate'
}

export interface ByNameSpec<D = Delivers> extends BaseSpec<D> {
  kind: 'byName'
  key: string
}

export interface BySetSpec<D = Delivers> extends GatheringSpec<D> {
  kind: 'bySet'
  keys: string[]
}

export interface ByBatchSizeSpec<D = Delivers> extends GatheringSpec<D> {
  kind: 'byBatchSize'
  n: number
  scope: TriggerScope
  maxWaitMs?: number
  flush?: boolean
}

export interface ByTimeSpec<D = Delivers> extends BaseSpec<D> {
  kind: 'byTime'
  ms: number
  empty?: boolean
}

export interface RedundantSpec<D = Delivers> extends GatheringSpec<D> {
  kind: 'redundant'
  k: number
  n: number
  cancel?: boolean
}

export interface DynamicJoinSpec<D = Delivers> extends GatheringSpec<D> {
  kind: 'dynamicJoin'
}

export interface DynamicGroupSpec<D = Delivers> extends GatheringSpec<D> {
  kind: 'dynamicGroup'
  scope: TriggerScope
}

/** A custom trigger as JSON knows it: its code is added by `custom`. */
export interface CustomSpec<D = Delivers> extends GatheringSpec<D> {
  kind: 'custom'
  name: string
  scope: TriggerScope
  initial: Json
}

/** When a bucket's objects go to a task; JSON. The constructors (`bySet(['a', 'b'])`) make it and check it. */
export type TriggerSpec =
  | ImmediateSpec
  | ByNameSpec
  | BySetSpec
  | ByBatchSizeSpec
  | ByTimeSpec
  | RedundantSpec
  | DynamicJoinSpec
  | DynamicGroupSpec
  | CustomSpec

/**
 * What happens to a bucket. Events are the only input of its triggers, time included: the same events give the same firings.
 *
 * `seq` of an object is set when its put is accepted: counted per bucket when one of the triggers has application scope,
 * else per session.
 */
export type BucketEvent =
  /** `atMs`: epoch ms of the arrival at the shard; a put is also a `time`. May be 0 for a bucket that is not `timed`. */
  | { kind: 'put'; object: ObjectMeta; atMs: number }
  /** `id` as a put's. `keys` for dynamicJoin; `sources` for dynamicGroup and redundant. */
  | { kind: 'declare'; session: string; id: string; keys?: string[]; sources?: string[] }
  /** The invocation `source` has succeeded: it puts nothing more. */
  | { kind: 'sourceDone'; session: string; source: string }
  /** An attempt of the invocation `source` has failed: it may be tried again. */
  | { kind: 'sourceFailed'; session: string; source: string }
  | { kind: 'time'; nowMs: number }
  /**
   * Nothing of the session is running, handed over, expected or firing. `flushOnly`: triggers fire what they have, but nothing is closed
   * yet, since other buckets of the session may do the same and put here.
   */
  | { kind: 'sessionEnd'; session: string; flushOnly?: boolean }
  /** The application ends: queues that say `flush` fire what they have. */
  | { kind: 'flush' }

/** A task to be started with objects. Delivered at least once; `id` tells a second delivery. */
export interface Firing {
  /** Hash of bucket, trigger and scope, then the ordinal: the same whenever the same events are replayed. */
  id: string
  bucket: string
  /** Index among the bucket's triggers. */
  trigger: number
  task: string
  /** The session, or '' for application scope. */
  scope: string
  /** Counts the firings of this trigger and scope from 0; of `byTime` the number of the window since the epoch. */
  ordinal: number
  /** In the order that the trigger defines. */
  objects: readonly ObjectMeta[]
  group: string | undefined
  /**
   * Sessions that contributed, by first object, when the firing starts a session of its own: application scope, and what is
   * incomplete at the end of a session. Empty otherwise.
   */
  sessions: readonly string[]
  /** It goes to the trigger's `onIncomplete`. */
  incomplete: boolean
}

/** Incomplete state that a session left behind. */
export interface Discarded {
  trigger: number
  session: string
  /** In the order in which they would have been delivered, as far as it is known. */
  objects: readonly ObjectMeta[]
  /** Keys or sources that it still waited for. */
  missing: readonly string[]
}

/** What one event caused. */
export interface StepResult {
  /** Of a put or declaration: new, known already (nothing happened), or refused with `error`. Of other events `accepted`. */
  outcome: 'accepted' | 'duplicate' | 'refused'
  /** Codes: `KEY_CONFLICT`, `SESSION_CLOSED`, `GROUP_CLOSED`, `JOIN_CONFLICT`, `INVALID_CONFIG`. */
  error: FusionizeError | undefined
  firings: readonly Firing[]
  /**
   * Objects that no trigger can use any more: their keys may be put again, and their values are free once the firings that deliver
   * them are handed over. Every accepted object is released once. A put whose time ends a window can release the old object
   * under its own key: `seq` tells them apart.
   */
  released: readonly { session: string; key: string; seq: number }[]
  /** Invocations whose output nobody needs any more. */
  cancelled: readonly { trigger: number; session: string; source: string }[]
  discarded: readonly Discarded[]
  /** Custom triggers whose code threw: their state is as before, and they still hold the object of a put. */
  failures: readonly { trigger: number; error: unknown }[]
  /**
   * Of a `sessionEnd`: the session is over. False when the end made a trigger fire or a timer of the session still runs; then
   * give the event again when the session is quiet.
   */
  ended: boolean
  /** Epoch ms of the `time` event wanted next; one that comes too early does no harm. */
  wakeMs: number | undefined
}
