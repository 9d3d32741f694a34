/** How a call hands over: `call` waits for the result, `send` only hands over, `map` is a parallel `call` per item. */
export type Mode = 'call' | 'send' | 'map'
export const modes: readonly Mode[] = ['call', 'send', 'map']

/** Where a call runs: in the caller's process or in the callee's own function. */
export type Route = 'inline' | 'remote'

export type TaskName = string
export type BucketName = string

/** What the platform deploys for one task, and how calls made inside it are routed (DESIGN §5). */
export interface FunctionSpec {
  /** Memory in MB; CPU follows from it. */
  memory: number
  /** Calls taken in-process by whatever runs in this function, by mode. Sorted, without duplicates. */
  inline: Record<Mode, TaskName[]>
  /** Remote map: items per invocation; absent = 1. */
  bundle: Record<TaskName, number>
  /** Buckets whose triggers this function evaluates itself. */
  buckets: BucketName[]
  /** Requests at a time per sandbox. */
  concurrency: number
  /**
   * How the items of a map run inside it: interleaved on the event loop, or on a pool of threads or processes as many as it has cores.
   * Absent: I/O-bound items on the loop, CPU-bound ones on threads, as their sandbox measures.
   */
  parallel?: 'loop' | 'threads' | 'processes'
  /** How a remote route hands large data over; absent = `payload`. */
  passing: Record<TaskName, 'payload' | 'local' | 'direct' | 'store'>
  /** Milliseconds after a request's arrival to start a sandbox for a later task; absent = no. */
  prewarm: Record<TaskName, number>
}

/** Total map: every task has one function of its name. */
export interface FusionSetup {
  functions: Record<TaskName, FunctionSpec>
}

/** A possible call, found in the source: `from` may call `to` in these modes. */
export interface StaticEdge {
  from: TaskName
  to: TaskName
  modes: Mode[]
  /** Buckets through which `from` may start `to`, sorted: it puts there, and a trigger there starts `to`. Such an edge has the mode `send`. */
  buckets?: BucketName[]
  /** Only beside `buckets`: `from` also sends to `to` itself. */
  sends?: true
}

/** What the application's source says about one bucket. */
export interface BucketInfo {
  name: BucketName
  /** File relative to the app's folder, with `/`. */
  file: string
  line: number
  /** In order. `trigger` is its text in the source, as in `bySet(['a', 'b'])`; `task` is what it starts, `onIncomplete` included as a further item. */
  triggers: { trigger: string; task: TaskName }[]
  /** Tasks that may put there, declare what is to come, or be a source: what they do can make a trigger fire. Sorted. */
  producers: TaskName[]
  /** Evaluation may be left to a function: every trigger has session scope and none has a clock. */
  fusible: boolean
}

/** What the application's source says about one task; all of it readable without running user code. */
export interface TaskInfo {
  name: TaskName
  /** File relative to the app's folder, with `/`. */
  file: string
  line: number
  /** Present when the task is an entry reachable over HTTP. */
  http?: { method: string; path: string }
  /** The task's own time limit in ms. */
  timeoutMs?: number
  /** How often a failed async invocation is run again. */
  retries?: number
  memory?: { min?: number; max?: number }
  isolate?: boolean
  permissions?: string[]
  /** True when the task declares an input schema. */
  hasSchema?: boolean
  /** The bucket that answers for it. */
  result?: BucketName
}

/** The application as its source describes it. */
export interface App {
  name: string
  /** By task name, in alphabetical order. */
  tasks: Record<TaskName, TaskInfo>
  /** Ordered by from, to. */
  edges: StaticEdge[]
  /** By name, in alphabetical order; absent in an app without buckets. */
  buckets?: Record<BucketName, BucketInfo>
}

/** What the user forbids or demands of any setup (config `constraints`); task options `isolate`, `memory`, `permissions` add to it. */
export interface Constraints {
  /** Never shares a sandbox with another task. */
  isolate?: TaskName[]
  /** When one of these calls another of them, the route is inline. */
  together?: TaskName[][]
  /** Never in one function. */
  apart?: TaskName[][]
  /** Bounds in MB on the function named after the task. */
  memory?: Record<TaskName, { min?: number; max?: number }>
  /** Tasks in different zones never share a function: zone name → tasks. */
  zones?: Record<string, TaskName[]>
}

/** One broken rule: which, where, and what to do. */
export interface Violation {
  rule:
    | 'missing-function'
    | 'unknown-task'
    | 'memory-ladder'
    | 'memory-bound'
    | 'isolate'
    | 'together'
    | 'apart'
    | 'zone'
    | 'concurrency'
    | 'bundle'
    | 'bucket'
    | 'shape'
  function?: TaskName
  edge?: { from: TaskName; to: TaskName; mode?: Mode }
  message: string
}
