import type { App, BucketName, FusionSetup, Mode, StaticEdge, TaskName } from './types.js'

/** The modes in which `from` itself calls `to`: what is started only through buckets is left out. */
export function directModes({ modes, buckets, sends }: StaticEdge): Mode[] {
  return buckets && !sends ? modes.filter((mode) => mode !== 'send') : modes
}

/** Whether the app has the bucket, and its evaluation may be left to a function. */
export function isFusible(app: App, bucket: BucketName): boolean {
  return app.buckets !== undefined && Object.hasOwn(app.buckets, bucket) && app.buckets[bucket]?.fusible === true
}

/** The buckets that function `fn` evaluates itself, as far as the app allows it. Sorted. */
export function fusedBuckets(app: App, setup: FusionSetup, fn: TaskName): BucketName[] {
  const spec = Object.hasOwn(setup.functions, fn) ? setup.functions[fn] : undefined
  return (spec?.buckets ?? []).filter((bucket) => isFusible(app, bucket))
}

/** Those of an edge's buckets that function `fn` evaluates itself. */
export function fusedOf(app: App, setup: FusionSetup, fn: TaskName, edge: StaticEdge): BucketName[] {
  if (!edge.buckets) return []
  const fused = fusedBuckets(app, setup, fn)
  return edge.buckets.filter((bucket) => fused.includes(bucket))
}

/** The setup as it is where the platform evaluates all buckets, whatever functions are asked to: what a bucket starts has a function of its own. */
export function withoutFusedBuckets(setup: FusionSetup): FusionSetup {
  const functions = Object.entries(setup.functions).map(([fn, spec]) => [fn, { ...spec, buckets: [] }])
  return { functions: Object.fromEntries(functions) }
}
