import type { ShardChange } from 'fusionize/buckets'

/** What happens to a bucket, before its machine hears of it. */
export type Change =
  | ShardChange
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
