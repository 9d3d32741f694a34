import type { BucketStatus } from '@fusionize/platform'
import { AT_ONCE, type BucketTable } from './bucket-table.js'
import { parallel } from './deploy/parallel.js'
import type { Deployed } from './deployed.js'
import type { Item } from './runtime/attributes.js'
import { namesWith } from './runtime/buckets/items.js'
import { unpack } from './runtime/buckets/packed.js'
import type { Saved, SavedValue } from './runtime/buckets/saved-record.js'

/** What is in each bucket, in the records of sessions that are not over and of buckets of the application. @param nowMs epoch ms */
export async function bucketStatus(
  table: BucketTable,
  { buckets, functions }: Pick<Deployed, 'buckets' | 'functions'>,
  nowMs: number,
): Promise<BucketStatus[]> {
  const sessions = new Set((await table.watched(functions.keys())).map(({ session }) => String(session)))
  const items = [
    ...(await parallel([...sessions], AT_ONCE, (session) => table.session(session))),
    ...(await parallel(buckets, AT_ONCE, (bucket) => table.bucket(bucket))),
  ]
  const records = items.flatMap((item) => (item ? recordsIn(item) : []))
  return buckets.map((bucket) =>
    statusOf(
      bucket,
      records.flatMap((one) => (one.bucket === bucket ? one.saved : [])),
      nowMs,
    ),
  )
}

function recordsIn(item: Item): { bucket: string; saved: Saved }[] {
  return namesWith(item, 'b:').map((name) => ({
    bucket: name.slice(2),
    saved: JSON.parse(unpack(String(item[name]))) as Saved,
  }))
}

function statusOf(bucket: string, records: readonly Saved[], nowMs: number): BucketStatus {
  const sessions = records.flatMap(({ state }) => [...(state.sessions as Iterable<[string, Session]>)])
  const values = records.flatMap((one) => one.values)
  const arrivals = values.flatMap(([, , , , atMs]) => atMs ?? [])
  return {
    bucket,
    objects: sessions.reduce((sum, [, { live }]) => sum + live.length, 0),
    bytes: values.reduce((sum, [, , , value]) => sum + bytesOf(value), 0),
    sessions: sessions.length,
    oldestMs: arrivals.length > 0 ? Math.max(0, nowMs - arrivals.reduce((a, b) => Math.min(a, b))) : null,
  }
}

/** Of a session's state, as JSON has it. */
interface Session {
  live: unknown[]
}

/** Bytes, or characters of JSON, as everywhere. */
function bytesOf(value: SavedValue): number {
  if (value === null) return 0
  if ('ref' in value) return value.bytes
  return 'json' in value ? value.json.length : Buffer.byteLength(value.base64, 'base64')
}
