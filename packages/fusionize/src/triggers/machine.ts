import type { BucketEvent, ObjectMeta, TriggerScope } from './types.js'

/**
 * One trigger as a state machine: pure but for its state, which `step` changes in place to spare the put path copies. The state is
 * JSON but for its tables, and belongs to one scope: a session, or the application.
 */
export interface TriggerMachine<S> {
  readonly scope: TriggerScope
  init(): S
  /** Why the event must not happen, if so. Asked of all triggers of a bucket before any of them sees the event. */
  refuses?(state: S, event: BucketEvent): Refusal | undefined
  step(state: S, event: BucketEvent, out: Outlet): void
  /** Epoch ms at which it wants a `time` event; -1 for never. Present in machines that use time. */
  dueMs?(state: S): number
  /** What it holds, for the end of the session. Present in machines of session scope that hold objects. */
  rest?(state: S): Rest
  /** Repairs a state that came out of JSON, in place. Present in machines whose state has tables. */
  restore?(state: S): void
}

/** Where a machine says what is to be done. */
export interface Outlet {
  /** Epoch ms, never less than before. */
  readonly nowMs: number
  /**
   * Starts the task. The list now belongs to the firing.
   * @param ordinal @default the number of earlier firings in this scope
   */
  fire(objects: readonly ObjectMeta[], group?: string, ordinal?: number): void
  /** Keeps the key of the object just put live until `close`. */
  hold(object: ObjectMeta): void
  /** Lets go of objects, each of them held before. */
  close(objects: readonly ObjectMeta[]): void
  /** Says that nobody needs the output of `source`. */
  cancel(source: string): void
  /** Code of the user threw. */
  fail(error: unknown): void
}

export interface Refusal {
  code: 'GROUP_CLOSED' | 'JOIN_CONFLICT'
  /** What happened and what to do, without the bucket and the session. */
  message: string
}

/** What a machine holds when its session ends. */
export interface Rest {
  objects: ObjectMeta[]
  /** Keys or sources that it waits for. */
  missing: string[]
  /** Whether something is left undelivered that should have been. */
  incomplete: boolean
}
