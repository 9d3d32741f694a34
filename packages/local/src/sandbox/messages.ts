import type { Payload } from 'fusionize/runtime'

export type Head = [kind: number, ...rest: unknown[]]

/** JSON text still in UTF-8: the engine passes it on as it came. */
export class Utf8 {
  constructor(readonly bytes: Uint8Array) {}
}

/** A value in transit inside the engine. */
export type Part = Payload | Utf8

/** An item of a reply's `held`: its id, session, function, task, trace, parent and setup; the input is a part. */
export type HeldHead = [
  id: string,
  session: string,
  fn: string,
  task: string,
  trace: string,
  parent: string,
  setup: string,
]

/** The head of `invoke`. */
export type InvokeHead = [
  kind: number,
  /** A number of the engine's; for what comes over a link, the caller's sandbox and its `no`. */
  job: number | string,
  id: string,
  session: string,
  task: string,
  mode: 'call' | 'send',
  external: boolean,
  attempt: number,
  deadline: number,
  trace: string,
  parent: string | null,
  cold: number | null,
  coldKind: 'natural' | 'forced' | 'prewarmed' | null,
  /** The session's fused buckets are the function's to evaluate. Absent over a link. */
  lease?: boolean,
  /** Large objects that the input names. */
  refs?: string[],
]

/** Exit code of a sandbox that reported an uncaught error (`fatal`) before it ended. */
export const FATAL_EXIT = 70

/** How the engine tells a process what it is: `SandboxInfo` as JSON. */
export const INFO_VARIABLE = 'FUSIONIZE_SANDBOX'
