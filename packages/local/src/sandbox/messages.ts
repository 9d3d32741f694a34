import type { Payload } from 'fusionize/runtime'

/**
 * What a sandbox and its engine say to each other. A message is a head (a short list, its first item the kind) and parts
 * (values in transit). The order of calls is `fusionize/runtime`'s protocol; this file only gives it numbers.
 *
 * Whatever the sandbox wants answered carries a `no` of its own counting: calls, sends, and replies that leave work behind.
 */
export const kind = {
  /** sandbox: the module is loaded. */
  ready: 0,
  /** sandbox: [no, id, session, task, function | null, deadline, trace, parent]; part: input. Answered by `result`. */
  call: 1,
  /** sandbox: as `call`. Answered by `accepted` or `result` (an error). */
  send: 2,
  /** sandbox: [job, ok, no, held]; parts: outcome, inputs of `held`. `no` is 0 when nothing is held, else answered by `accepted`. */
  reply: 3,
  /** sandbox: [job, ok, no, held, id]; parts as `reply`. */
  settled: 4,
  /** sandbox: [job]; part: the record. */
  done: 5,
  /** sandbox: [level, task, session, time]; parts: message, data. */
  log: 6,
  /** sandbox: [no]: nobody waits for that call any more. */
  abandon: 7,
  /** sandbox: [origin]; part: the error that nothing caught. The sandbox ends. */
  fatal: 8,
  /** engine: [job, id, session, task, mode, external, attempt, deadline, trace, parent, cold, coldKind]; part: input. */
  invoke: 16,
  /** engine: [no, ok]; part: output or error. */
  result: 17,
  /** engine: [no, ids]: held outside; `ids` are not to be run here. */
  accepted: 18,
  /** engine: [invocation id, reason]. */
  cancel: 19,
} as const

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
  job: number,
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
]

/** Exit code of a sandbox that reported an uncaught error (`fatal`) before it ended. */
export const FATAL_EXIT = 70

/** How the engine tells a process what it is: `SandboxInfo` as JSON. */
export const INFO_VARIABLE = 'FUSIONIZE_SANDBOX'
