import type { Mode, Route } from 'fusionize/setup'
import type { Distribution } from '../statistics/distribution.js'

/** One task at one memory size. */
export interface SizeProfile {
  runs: number
  /** Own time of a run: without what it waits for calls and hand-overs. ms */
  ownMs: Distribution
  /** In sampled invocations: own CPU ms, and the own time of the same runs. */
  cpuMs: number
  cpuOwnMs: number
  cpuRuns: number
}

export interface TaskProfile {
  runs: number
  errors: number
  /** By memory of the function that ran it, MB. */
  sizes: Record<string, SizeProfile>
}

export interface EdgeProfile {
  from: string
  to: string
  mode: Mode
  route: Route
  calls: number
  errors: number
  /** Calls during which another call of the same caller was open. */
  parallel: number
  /** Caller's wait: until the result (call, map) or until the hand-over is done (send). Inline sends: 0. ms */
  waitMs: Distribution
  /** Remote calls: wait minus the callee's time to its reply, warm callees. Sends: the wait. By memory of the caller, MB. */
  overheadMs: Record<string, Distribution>
  bytesIn: Distribution
  bytesOut: Distribution
}

export interface FunctionProfile {
  function: string
  memory: number
  invocations: number
  errors: number
  /** Handler start to end of after-reply work, ms. */
  wallMs: Distribution
  /** Handler start to reply, ms. */
  replyMs: Distribution
  coldStarts: number
  forcedColdStarts: number
  coldMs: Distribution
  peakMb: number
}

/** What is known of an application's behaviour; plain data, mergeable, of a size that does not grow with the requests seen. */
export interface Profile {
  v: 1
  /** Invocations without a caller. */
  requests: number
  records: number
  /** Records of an invocation's attempt that had been seen. */
  duplicates: number
  /** Remote calls whose callee never reported, and callees whose caller never did. */
  unmatched: number
  tasks: Record<string, TaskProfile>
  /** By `edgeKey`. */
  edges: Record<string, EdgeProfile>
  /** By `function@memory`. */
  functions: Record<string, FunctionProfile>
}

/** Key of an edge in `Profile.edges`. */
export function edgeKey(from: string, to: string, mode: Mode, route: Route): string {
  return `${from}>${to} ${mode} ${route}`
}
