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
  /**
   * sandbox: [no, id, session, task, function | null, deadline, trace, parent, lost?]; part: input. Answered by `result`. `lost`: it was
   * sent over a link to that sandbox before, which the engine took back.
   */
  call: 1,
  /** sandbox: as `call`. Answered by `accepted` or `result` (an error). */
  send: 2,
  /**
   * sandbox: [job, ok, no, held, over]; parts: outcome, inputs of `held`. `no` is 0 when nothing is held, else answered by `accepted`; -1
   * when the answer went over a link. `over`: it is `done`, too, and the last part is the record.
   */
  reply: 3,
  /** sandbox: [job, ok, no, held, id]; parts: outcome, inputs of `held`. */
  settled: 4,
  /** sandbox: [job]; part: the record. */
  done: 5,
  /** sandbox: [level, task, session, time]; parts: message, data. */
  log: 6,
  /** sandbox: [no, callee | null]: nobody waits for that call any more; `callee`: the sandbox whose link it was sent over. */
  abandon: 7,
  /** sandbox: [origin]; part: the error that nothing caught. The sandbox ends. */
  fatal: 8,
  /** sandbox: it takes links now. */
  listening: 9,
  /** sandbox: [job, id, session, task, deadline, trace, parent]: it runs what came over its link. */
  began: 10,
  /** sandbox: its link takes nothing more; what it had not begun was not run. */
  revoked: 11,
  /** sandbox: answers `sync`; all that it said before has arrived. */
  synced: 12,
  /** sandbox, as caller: [callee, then as `began`]: a call over a link that has no answer for a while, so that a callee which blocks is known. */
  overdue: 13,
  /** engine: [job, id, session, task, mode, external, attempt, deadline, trace, parent, cold, coldKind]; part: input. */
  invoke: 16,
  /** engine: [no, ok]; part: output or error. Callee, on a link: [job, ok, over]. */
  result: 17,
  /** engine: [no, ids]: held outside; `ids` are not to be run here. */
  accepted: 18,
  /** engine: [invocation id, reason]. */
  cancel: 19,
  /** engine: [path]: take links at this socket. */
  listen: 20,
  /** engine to the caller: [function, sandbox, timeout, path | null, token], or a port (threads): calls of the function may go there directly, one at a time. */
  lend: 21,
  /** engine to the callee: [token], or a port (threads): whom to serve. */
  linked: 22,
  /** engine to the callee: begin nothing more that comes over the link. Answered by `revoked`. */
  revoke: 23,
  /** callee to caller, on a link: the last call is over in every sense. */
  idle: 24,
  /** engine to the caller: [function, sandbox]: the link is taken back. A call that has no answer is sent again as `call` with `lost`. */
  unlent: 25,
  /** caller to callee, first on a link of processes: [token]. */
  hello: 26,
  /** engine: answer with `synced`. */
  sync: 27,
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
]

/** Exit code of a sandbox that reported an uncaught error (`fatal`) before it ended. */
export const FATAL_EXIT = 70

/** How the engine tells a process what it is: `SandboxInfo` as JSON. */
export const INFO_VARIABLE = 'FUSIONIZE_SANDBOX'
