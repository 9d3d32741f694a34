import type { DatedRates } from 'fusionize/prices'
import type { Payload, WireError } from 'fusionize/runtime'
import type { App, FusionSetup } from 'fusionize/setup'

/** One function's deployable code: a single file plus its source map. Same input, same hash. */
export interface Artifact {
  function: string
  /** Tasks whose code it contains, sorted. */
  tasks: string[]
  /** Absolute path of the ES module; a `.map` stands beside it. */
  file: string
  /** SHA-256 of the file's content, hex. */
  hash: string
  bytes: number
  /** npm packages that it loads from the app's `node_modules` at run time: native ones, and those that read files beside their code. */
  externals: string[]
}

/** Everything a platform needs to put a setup into effect. */
export interface Build {
  app: App
  setup: FusionSetup
  /** By function; functions that nothing can reach are absent. */
  artifacts: Record<string, Artifact>
  /** The app's buckets as a module that exports `buckets`, a list of them: every task in it is a stub. Absent in an app without buckets. */
  buckets?: { file: string; hash: string }
  /** Extra environment of the functions (config `env`). */
  env: Record<string, string>
}

/** What a platform is and can do. */
/** How Linux keeps to a control group's CPU quota (kernel/sched/fair.c, CFS bandwidth control); all in ms. */
export interface CpuQuota {
  periodMs: number
  /** Between ticks of the timer, at which a core notices that its quota is used up; what it ran beyond, it owes. */
  tickMs: number
  /** What a core takes of the quota at a time. */
  sliceMs: number
  /** What a core keeps of its slice when it has nothing more to do. */
  keepMs: number
}

export interface Facts {
  platform: string
  /** Memory sizes a function may have, MB, ascending. */
  memoryLadder: number[]
  /** MB that give one full core; CPU is in proportion. */
  mbPerCore: number
  /** False when the machine cannot hold sandboxes to their CPU share: then time says nothing about cost, and cost is null. */
  cpuShareEnforced: boolean
  /** Why not, in words for the user; empty when enforced. */
  cpuShareReason: string
  /** How the share is enforced where that is by a quota of CPU time per period; absent: evenly. */
  cpuQuota?: CpuQuota
  /**
   * Ms: of a function's free sandboxes the one used last that has rested for so long takes the next job, else the one that has rested longest, where
   * a sandbox has less than a core; who has just run may owe for it, and would keep the job waiting. Absent: the one used last.
   */
  restMs?: number
  afterReply: 'runs' | 'before-reply'
  maxPayloadBytes: { call: number; send: number }
  maxTimeoutMs: number
  /** USD; data, dated and replaceable. */
  prices: DatedRates
  durability: 'none' | 'journal' | 'fsync'
  /** Name of the emulation in force, if any. */
  emulate?: string
  /** In words, how data passing is emulated, if it is. */
  passing?: string
}

export interface InvokeOptions {
  session?: string
  timeoutMs?: number
  /** W3C traceparent of the client. */
  traceparent?: string
  signal?: AbortSignal
}

export type InvokeResult =
  | { ok: true; output: Payload; session: string }
  | { ok: false; error: WireError; session: string }

export interface DeadLetter {
  id: string
  task: string
  session: string
  attempts: number
  /** Epoch ms of acceptance and of the last failure. */
  accepted: number
  failed: number
  error: WireError
  input: Payload
}

export interface RecordsPage {
  /** Record lines (`parseRecord`). */
  lines: string[]
  /** Pass it to the next call. */
  next: string
}

export interface FunctionStatus {
  function: string
  setup: string
  sandboxes: { starting: number; idle: number; busy: number }
  queued: number
}

export interface BucketStatus {
  bucket: string
  /** Live objects, their size in bytes, and the sessions they belong to. */
  objects: number
  bytes: number
  sessions: number
  /** Age of the oldest live object in ms; null without objects. */
  oldestMs: number | null
}

export interface PlatformStatus {
  platform: string
  /** Setups that serve sessions; the first takes the new ones. `sessions`: null where the platform does not say. */
  setups: { id: string; weight: number; sessions: number | null }[]
  functions: FunctionStatus[]
  /** Accepted sends not yet done, waiting for a retry, and dead; null where the platform does not say. */
  sends: { pending: number | null; retrying: number | null; dead: number }
  /** One a bucket, by name; absent in an app without buckets. */
  buckets?: BucketStatus[]
  url?: string
}

export interface DeployOptions {
  /** Every invocation in a fresh sandbox: the load `cold`. Default false. */
  forceCold?: boolean
}

/** The platform port (DESIGN §7). */
export interface Platform {
  readonly name: string
  facts(): Facts
  /** Idempotent; new sessions take the setup from the moment it resolves, those under way finish on theirs. Returns the setup's id. */
  deploy(build: Build, options?: DeployOptions): Promise<{ setup: string; changed: string[] }>
  /** Share of new sessions per deployed setup id; weights are relative. */
  traffic(weights: Record<string, number>): Promise<void>
  invoke(task: string, input: Payload, options?: InvokeOptions): Promise<InvokeResult>
  /** Resolves once accepted. */
  send(
    task: string,
    input: Payload,
    options?: { session?: string; id?: string },
  ): Promise<{ id: string; session: string }>
  records(since?: string): Promise<RecordsPage>
  deadLetters(): Promise<DeadLetter[]>
  /** Runs dead letters again; all when `ids` is absent. Returns how many. */
  replay(ids?: string[]): Promise<number>
  status(): Promise<PlatformStatus>
  /** Resolves when nothing runs, is queued or waits for a retry. */
  drained(): Promise<void>
  /** Ends every sandbox; accepted work that is not done stays in the journal. */
  destroy(): Promise<void>
  /** Where entries are served, when the platform has a gateway. */
  readonly url?: string
}
