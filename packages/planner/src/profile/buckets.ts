import type { Fired, InvocationRecord } from 'fusionize/record'
import type { Route } from 'fusionize/setup'
import { emptyDistribution, note } from '../statistics/distribution.js'
import { type BucketProfile, firingKey, type Profile } from './types.js'

/** Adds what an invocation's runs put, what started it, and what it started itself in fused buckets. */
export function foldBuckets(profile: Profile, record: InvocationRecord): void {
  for (const { span, bucket, count, bytes } of record.puts ?? []) {
    const task = record.spans[span]?.task
    if (task === undefined) continue
    const { puts } = bucketOf(profile, bucket)
    puts[task] ??= { runs: 0, puts: 0, bytes: 0 }
    puts[task].runs++
    puts[task].puts += count
    puts[task].bytes += bytes
  }
  if (startedBy(record)) foldFiring(profile, record.task, 'remote', startedBy(record) as Fired)
  for (const { span, fired } of record.firings ?? []) {
    const task = record.spans[span]?.task
    if (task !== undefined) foldFiring(profile, task, 'inline', fired)
  }
}

/** What started an invocation, when a trigger did and this is the first attempt. */
export function startedBy({ attempt, fired }: InvocationRecord): Fired | undefined {
  return attempt === 1 ? fired : undefined
}

function foldFiring(
  profile: Profile,
  to: string,
  route: Route,
  { bucket, objects, bytes, waitMs }: Omit<Fired, 'id'>,
): void {
  const { firings } = bucketOf(profile, bucket)
  const key = firingKey(to, route)
  firings[key] ??= {
    to,
    route,
    firings: 0,
    objects: emptyDistribution(),
    bytes: emptyDistribution(),
    waitMs: emptyDistribution(),
  }
  firings[key].firings++
  note(firings[key].objects, objects)
  note(firings[key].bytes, bytes)
  note(firings[key].waitMs, waitMs)
}

function bucketOf(profile: Profile, name: string): BucketProfile {
  profile.buckets ??= {}
  profile.buckets[name] ??= { puts: {}, firings: {} }
  return profile.buckets[name]
}
