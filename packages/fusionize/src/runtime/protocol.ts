/**
 * What passes between the fusion handler and the platform's adapter. The order of calls that an adapter must honour:
 *
 * 1. The adapter calls `handler.run(invocation, port)` once per invocation.
 * 2. The handler runs the task. Meanwhile it may use `transport.call` and `transport.send` any number of times.
 * 3. The handler calls `port.reply(outcome, held)` exactly once. `held` is work that the reply leaves behind (inline sends).
 *    The adapter makes sure that all of `held` is kept outside the sandbox *before* the reply is released to whoever waits
 *    for it (Promise 2), then resolves with the ids that must not be run here (they were accepted before, by an earlier attempt).
 *    With `held` empty the handler does not wait.
 * 4. The handler runs the held work. For each item it calls `port.settled(id, outcome, held)` exactly once, where `held` is what that item
 *    leaves behind in turn, under the same rule as in 3. A failed item is the platform's to retry (back-off, attempts, dead letters).
 *    The limits of time after the reply are the handler's (each item has its task's limit, or `timeoutMs`); a platform that wants to be sure
 *    ends a sandbox in which nothing settled for longer than the longest of them.
 * 5. The handler calls `port.done(lines)` exactly once: nothing of the invocation is running any more; `lines()`, to be called once, writes
 *    its record, and a line each for invocations that it started and that were over before anybody outside knew of them.
 */

import type { DeliveryHead } from './delivery.js'

/** A value in transit: JSON text, bytes, or nothing (`undefined`). */
export type Payload = string | Uint8Array | undefined

/** An error in transit (Promise 4): name, message, code, cause, stack. */
export interface WireError {
  name: string
  message: string
  code?: string | number
  stack?: string
  cause?: WireError
  /** The errors of an AggregateError. */
  errors?: WireError[]
  /** Own enumerable JSON properties other than the above (FusionizeError's `details` among them), as JSON text. */
  props?: string
  /** JSON text of what was thrown, or of a cause, when it is no error ('' = undefined). */
  thrown?: string
}

export type Outcome = { ok: true; output: Payload } | { ok: false; error: WireError }

/** Asks a function to run one of its tasks. */
export interface Invocation {
  /** Stable over retries. */
  id: string
  session: string
  /** A task that the function's artifact contains; usually the function's own. */
  task: string
  mode: 'call' | 'send'
  input: Payload
  /** From outside: the input is checked against the task's schema. */
  external: boolean
  attempt: number
  /** Epoch ms after which nobody waits any more. */
  deadline: number
  /** W3C trace id (32 hex) and the calling span's id (16 hex), when there is a caller. */
  trace: string
  parent: string | null
  /** What the record should say of this sandbox's start-up: ms on its first invocation, else null. */
  cold: number | null
  coldKind?: 'natural' | 'forced' | 'prewarmed'
  /** Nobody else works for the session: the function may evaluate its own buckets (`FunctionModule.buckets`) for it. */
  lease?: boolean
  /** What `input`, which is absent then, would say. */
  known?: KnownInput | undefined
}

/** A remote call or send that leaves the sandbox. */
export interface Outbound {
  /** Stable over retries of the caller: derived from the caller's invocation and the call's place in it. */
  id: string
  session: string
  /** The task to run. */
  task: string
  /** The function to run it in; absent = the function of the task's name. */
  function?: string
  input: Payload
  deadline: number
  trace: string
  /** The calling span. */
  parent: string
  /** The setup that the session began with. */
  setup: string
}

/** An inline send that outlives the reply: enough to run it elsewhere if this sandbox dies. It runs as `task` inside `function`. */
export interface HeldSend {
  id: string
  session: string
  function: string
  task: string
  input: Payload
  trace: string
  parent: string
  setup: string
  /** What `input` says, for a run in this sandbox; does not travel. */
  known?: KnownInput
}

/** An input that begins where it was made, so that it need not be written and read. */
export interface KnownInput {
  /** Of its objects. */
  readonly bytes: number
  read(): { head: DeliveryHead; input: unknown }
}

/** A value that the platform's object store holds. */
export interface ObjectRef {
  ref: string
  bytes: number
  /** It is JSON text in UTF-8, not bytes. */
  json: boolean
}

/** What a task does with a bucket, on its way to the shard that the platform keeps for it. */
export type BucketOp = { bucket: string; session: string } & (
  | PutOp
  | { op: 'get'; key: string }
  /** `id` is stable over retries, as a put's. */
  | { op: 'declare'; id: string; keys?: readonly string[]; sources?: readonly string[] }
  /** The run that is the source `source` began, succeeded, failed. `invocation`: what to cancel when the source is not needed. */
  | { op: 'source'; source: string; invocation: string }
  | { op: 'sourceDone' | 'sourceFailed'; source: string }
  | {
      op: 'promise'
      key: string
      from: string
      withinMs: number
      attempts: number
      rerun: 'source' | 'session'
    }
)

export interface PutOp {
  op: 'put'
  key: string
  /** See `putIdOf`. */
  id: string
  group?: string
  source: string
  /** Epoch ms with a fraction. */
  at: number
  value: Payload | ObjectRef
  /** Trace and span of the run that puts. */
  trace: string
  parent: string
}

/** How the handler reaches other functions. */
export interface Transport {
  /** Resolves with the callee's outcome; rejects only with an `Error` of the platform (crash, queue full…). Aborting `signal` cancels the callee. */
  call(request: Outbound, signal: AbortSignal | undefined): Promise<Outcome>
  /** Resolves once the platform holds the send. */
  send(request: Outbound): Promise<void>
  /** Resolves with what the platform's shard says: `output` of a `get` is the value. */
  bucket(op: BucketOp): Promise<Outcome>
  /**
   * Tells what happened in the session's fused buckets since the last time. `ended`: the lease is over; `session`: and with it the session.
   * @param over ids of what these buckets started, and is done
   */
  mirror(session: string, ops: readonly BucketOp[], ended: 'no' | 'lease' | 'session', over: readonly string[]): void
  /** The session's first object in the bucket that answers for its entry. */
  result(session: string, value: Payload): void
  /** Work that was held with a reply begins here as an invocation of its own. @param brief it is over before anybody could want to know */
  begin(send: HeldSend, brief: boolean): InvocationPort
  /** Such work that will not begin here soon: it is the platform's to run. */
  release(ids: readonly string[]): void
  /** Hands large bytes to the platform's object store, to be named once: in a put or in a delivery. */
  share(value: Uint8Array): ObjectRef
  /** The bytes of an object that a delivery only names. */
  object(ref: string): Promise<Uint8Array>
  log(entry: LogEntry): void
}

export interface LogEntry {
  level: 'debug' | 'info' | 'warn' | 'error'
  task: string
  session: string
  message: string
  /** JSON text of the extra values, if any. */
  data?: string
  /** Epoch ms. */
  time: number
}

/** The adapter's side of one invocation. */
export interface InvocationPort {
  /** `next`: work that this handler runs as invocations of its own, by `transport.begin`; held like `held`, but not waited for. */
  reply(outcome: Outcome, held: HeldSend[], next: readonly HeldSend[]): Promise<readonly string[]> | undefined
  settled(
    id: string,
    outcome: Outcome,
    held: HeldSend[],
    next: readonly HeldSend[],
  ): Promise<readonly string[]> | undefined
  /** `busy`: `transport.begin` follows at once, so the sandbox is not free. */
  done(lines: () => string, busy: boolean): void
}

export interface Handler {
  run(invocation: Invocation, port: InvocationPort): void
  /** Nobody waits for this invocation any more: its `signal` aborts. */
  cancel(invocation: string, reason: 'cancelled' | 'timeout'): void
  /** Somebody else needs the session's buckets: answered by `mirror` with `ended: 'lease'` unless the lease is over. */
  recall(session: string): void
}

/** What the artifact's generated entry passes to the platform's adapter. */
export interface FunctionModule {
  app: string
  function: string
  /** Tasks contained in the artifact. */
  tasks: unknown[]
  /** Route table of the function: everything else is remote. */
  inline: { call: string[]; send: string[]; map: string[] }
  /** Those of `tasks` from which the source shows no call to any task. */
  leaves: string[]
  /** Names of the buckets whose triggers this function evaluates itself. */
  buckets?: string[]
  /** What the platform evaluates the app's buckets with, where its functions do that for all sessions (`BuilderOptions.evaluator`). */
  evaluator?: unknown
  /** Remote maps: items per invocation, by task; absent = 1. */
  bundle?: Record<string, number>
  /** How parallel items run; absent = the sandbox decides by what it measures. */
  parallel?: 'loop' | 'threads' | 'processes'
  /** What `fusionize/runtime/map` exports, in functions that map over a task or have one that is mapped over. */
  maps?: unknown
  /** What `pool.at` of `fusionize/runtime/pool` gives, where items may run in a pool. */
  pool?: unknown
  /** Those of `tasks` whose items may run in a pool: neither they nor what they call here does anything with a bucket. */
  poolable?: string[]
}

/** What the platform knows only at start-up of the sandbox. */
export interface SandboxInfo {
  setup: string
  sandbox: string
  memory: number
  /** Threads that can work at the same time: what the memory gives, rounded up. @default 1 */
  cores?: number
  /** One invocation in this many has cpu per span; 0 = never. */
  sampleCpuEvery: number
  /** Time limit of a task that sets none, ms. */
  timeoutMs: number
  /** Development: report inputs that are mutated and values that would not survive the wire. */
  dev: boolean
}
