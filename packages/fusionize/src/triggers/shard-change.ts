import { type Deliverable, isRef } from '../runtime/delivery.js'
import type { Shard, Stepped } from './shard.js'
import type { ObjectMeta } from './types.js'

/** What happens to a bucket, before its machine hears of it: what platforms keep, and apply. */
export type ShardChange =
  | {
      op: 'put'
      session: string
      key: string
      /** See `putIdOf`. */
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

/**
 * Steps the shard's machine by a change; the same changes give the same state and firings.
 * @param putting told the object of a put before it is put; the shard sets its `seq`
 */
export function changeShard(
  shard: Shard<Deliverable>,
  change: ShardChange,
  putting?: (object: ObjectMeta) => void,
): Stepped<Deliverable> {
  switch (change.op) {
    case 'put': {
      const { session, key, id: putId, group, source, atMs, value } = change
      const bytes = sizeOf(value)
      const meta = { key, seq: 0, putId, session, hash: '', bytes, source, ...(group !== undefined && { group }) }
      putting?.(meta)
      return shard.put(meta, value, atMs)
    }
    case 'declare': {
      const { session, id, keys, sources } = change
      return shard.step({
        kind: 'declare',
        session,
        id,
        ...(keys && { keys: [...keys] }),
        ...(sources && { sources: [...sources] }),
      })
    }
    case 'sourceDone':
    case 'sourceFailed':
      return shard.step({ kind: change.op, session: change.session, source: change.source })
    case 'time':
      return shard.step({ kind: 'time', nowMs: change.nowMs })
    case 'end':
      return shard.step({
        kind: 'sessionEnd',
        session: change.session,
        ...(change.flushOnly && { flushOnly: true }),
      })
    case 'flush':
      return shard.step({ kind: 'flush' })
  }
}

/** Bytes, or characters of JSON. */
export function sizeOf(value: Deliverable): number {
  return value === undefined ? 0 : isRef(value) ? value.bytes : value.length
}
