import type { App, TaskInfo, TaskName } from 'fusionize/setup'
import type { Place } from './references.js'

/** What artifacts are made from: of a scan, all that has nothing of its syntax trees. Paths are absolute. */
export interface Material {
  app: App
  graph: { files: ReadonlyMap<string, MaterialFile> }
  /** By file. */
  tasks: ReadonlyMap<string, { info: Pick<TaskInfo, 'name'>; exportNames: readonly string[] }>
  /** By file. */
  buckets: ReadonlyMap<string, readonly { name: string; exportNames: readonly string[] }[]>
  /** Tasks that do something with a task or a bucket. */
  busy: ReadonlySet<TaskName>
  /** Those of `busy` that do something with a bucket. */
  withBuckets: ReadonlySet<TaskName>
}

/** See `GraphFile`. */
export interface MaterialFile {
  module: { source: { text: string; hash: string }; places: readonly Place[] }
  links: ReadonlyMap<string, string>
  dormant: ReadonlyMap<string, string>
}
