import type { BucketDefinition } from '../definition.js'
import type { Frame } from './frames.js'
import { LocalShard } from './local-shard.js'
import type { Router } from './router.js'
import { laterOf } from './surroundings.js'

/*
 * Buckets that a function evaluates itself, for sessions that the platform leases to it. A platform without leases builds its artifacts with
 * `no-leasing.ts` in its place (the condition `fusionize-unleased`).
 */

export { Leases } from './leases.js'

/** The shard of the bucket in this function, when it may evaluate it for the frame's session. */
export function shardFor(frame: Frame, b: BucketDefinition): LocalShard | undefined {
  const { lease, router } = frame.run
  if (lease === undefined || !lease.open) return undefined
  const shard = b.shard?.router === router ? (b.shard as LocalShard) : shardOf(router, b)
  return shard?.usable ? shard : undefined
}

function shardOf(router: Router, b: BucketDefinition): LocalShard | undefined {
  if (!evaluates(router, b.name)) return undefined
  let shard = router.shards.get(b.name) as LocalShard | undefined
  // A unit test may define a bucket again.
  if (shard?.b !== b) {
    shard = new LocalShard(b, router)
    router.shards.set(b.name, shard)
  }
  b.shard = shard
  return shard
}

/** Whether this function evaluates the bucket itself; outside a function every bucket is evaluated here. */
function evaluates(router: Router, bucket: string): boolean {
  return router.fused.has(bucket) || laterOf(router) !== undefined
}
