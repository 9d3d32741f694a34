import type { Payload } from 'fusionize/runtime'
import type { Sandbox } from '../engine/sandbox.js'

/** What the node knows of a session that works with buckets. */
export class BucketSession {
  /** Evaluates the session's fused buckets. */
  lessee: Sandbox | undefined
  /** Who waits for the lessee to give the session back. */
  waiting: (() => void)[] | undefined
  /** Buckets of the node that know the session. */
  readonly touched = new Set<string>()
  /** Who waits for the first object of a bucket. */
  awaited: { bucket: string; settle(value: Payload): void; ended(error?: unknown): void } | undefined
  /** By source, the invocation that is it. */
  sources: Map<string, string> | undefined
}
