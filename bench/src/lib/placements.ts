import type { Build, Builder } from '@fusionize/platform'
import { type App, allFusedSetup, type BucketInfo, remoteSetup } from 'fusionize/setup'

/** MB that give a process sandbox a full core. */
export const MEMORY_MB = 1769

/**
 * Where what a bucket starts runs: in the invocation that put (`fused`), as an invocation of its own in the function that put, which holds
 * all tasks and evaluates the buckets (`own`), in a function of its own after the one that put has evaluated the bucket (`direct`), or after
 * the platform has (`remote`).
 */
export type Placement = 'fused' | 'own' | 'direct' | 'remote'

/** The build of an application whose tasks start each other through buckets only. @param entry the task that requests begin with */
export async function placedBuild(builder: Builder, entry: string, placement: Placement): Promise<Build> {
  const app = await builder.scan()
  if (placement === 'remote') return builder.build(remoteSetup(app, MEMORY_MB))
  if (placement === 'fused') return builder.build(allFusedSetup(app, MEMORY_MB))
  if (placement === 'direct') return builder.build(ownRuns(app, entry, startsTasks))
  // Without the others the platform runs every task in the function that has them all.
  return builder.build(ownRuns(app, entry), {}, [entry])
}

function ownRuns(app: App, entry: string, which: (bucket: BucketInfo) => boolean = () => true) {
  const setup = remoteSetup(app, MEMORY_MB)
  const spec = setup.functions[entry]
  const buckets = Object.values(app.buckets ?? {}).filter(which)
  if (spec) spec.buckets = buckets.map(({ name }) => name)
  return setup
}

/** Others that put into a bucket which only is read would have the session's lease taken back. */
function startsTasks({ triggers }: BucketInfo): boolean {
  return triggers.length > 0
}
