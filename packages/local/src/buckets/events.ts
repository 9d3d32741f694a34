import type { Deliverable } from 'fusionize/buckets'

/** What happens to buckets, as the journal keeps it: replayed through their machines it gives their state again. */
export type BucketChange =
  | {
      op: 'put'
      session: string
      key: string
      id: string
      group?: string
      source: string
      /** Arrival at the shard, epoch ms. */
      atMs: number
      value: Deliverable
    }
  | { op: 'declare'; session: string; id: string; keys?: readonly string[]; sources?: readonly string[] }
  | { op: 'sourceDone' | 'sourceFailed'; session: string; source: string }
  | { op: 'time'; nowMs: number }
  | { op: 'end'; session: string; flushOnly?: boolean }
  | { op: 'flush' }
  /** State at the time of a snapshot, as JSON; its values follow. */
  | { op: 'state'; state: string }
  | { op: 'value'; session: string; key: string; seq: number; value: Deliverable }

/** A change of one bucket. */
export interface BucketEvent {
  type: 'bucket'
  bucket: string
  change: BucketChange
}
