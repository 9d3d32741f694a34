import type { Deliverable } from 'fusionize/buckets'

/** What happens to a bucket, before its machine hears of it. */
export type Change =
  | {
      op: 'put'
      session: string
      key: string
      /** See `putIdOf`. */
      id: string
      group?: string
      source: string
      /** Arrival here, epoch ms. */
      atMs: number
      value: Deliverable
    }
  | { op: 'declare'; session: string; id: string; keys?: readonly string[]; sources?: readonly string[] }
  | { op: 'sourceDone' | 'sourceFailed'; session: string; source: string }
  | { op: 'time'; nowMs: number }
  | { op: 'end'; session: string; flushOnly?: boolean }
  | { op: 'flush' }
  /** `by` needs these objects besides, or does not any more. */
  | { op: 'name' | 'release'; by: string; refs: readonly string[] }

export type PutChange = Change & { op: 'put' }

/** What a firing carries of what completed it. */
export interface Cause {
  trace: string
  parent: string
  /** Epoch ms. */
  at: number
}
