import type { Deliverable, ShardChange } from 'fusionize/buckets'
import type { Send } from '../send.js'

/** What happens to buckets, as the journal keeps it: replayed through their machines it gives their state again. */
export type BucketChange =
  | ShardChange
  /** State at the time of a snapshot, as JSON; its values follow. */
  | { op: 'state'; state: string }
  | { op: 'value'; session: string; key: string; seq: number; value: Deliverable }

/** A put as the journal keeps it. */
export type PutChange = BucketChange & { op: 'put' }

/** A change of one bucket. */
export interface ChangeEvent {
  type: 'bucket'
  bucket: string
  change: BucketChange
}

/** A promise that a task will put a key (`bucket.expect({ key, from, within })`). */
export interface Expected {
  bucket: string
  key: string
  from: string
  withinMs: number
  attempts: number
  rerun: 'source' | 'session'
}

/** What is known of a promise now. */
export interface ExpectEvent {
  type: 'expect'
  session: string
  expected: Expected
  /** The run that is under way, from 1; 0: nothing is expected any more. */
  attempt: number
  /** What is to be run again. */
  send?: Send
}

/** At the time of a snapshot: a firing that is accepted when what made it is repeated. */
export interface OwedEvent {
  type: 'owed'
  session: string
  by: string
  send: Send
}

/** Firings that a sandbox made and that were done there: they are not owed any more. */
export interface OverEvent {
  type: 'over'
  ids: readonly string[]
}

export type BucketEvent = ChangeEvent | ExpectEvent | OwedEvent | OverEvent
