import type { Mode, Route } from 'fusionize/setup'

/** One run of a task, as a trace tells of it. What a format does not tell is absent. */
export interface TaskRun {
  task: string
  /** Index of the run that called it in `RequestTrace.runs`; -1: the request. Callers come before what they call. */
  parent: number
  mode: Mode
  route: Route
  /** Ms since the request's arrival. Handler start of a remote run. */
  startMs: number
  endMs: number
  /** Caller's side of a remote call: from the call to its result (call, map), to the end of the hand-over (send). Ms since the arrival. */
  call?: { startMs: number; endMs: number }
  /** Index of the invocation that it ran in, in `RequestTrace.invocations`. */
  invocation: number
  /** Ms of CPU of the run without those that it called. */
  cpuMs?: number
  /** Ms in which it waited for what is no traced function: a database, a queue, a service without traces. */
  outsideMs?: number
  bytesIn?: number
  bytesOut?: number
  error?: string
}

/** One invocation of a function. */
export interface TraceInvocation {
  function: string
  memoryMb?: number
  startMs: number
  /** End of the work that is billed. */
  endMs: number
  /** Start-up ms when it was the sandbox's first; null: warm; absent: not told. */
  coldMs?: number | null
  /** It was the sandbox's first, where a trace tells that but not how long the start-up took. */
  isCold?: boolean
  billedMs?: number
  /** Peak resident memory of its sandbox so far, where a trace tells. MB */
  peakMb?: number
}

/** One external request and all that followed from it, whichever system recorded it. */
export interface RequestTrace {
  id: string
  /** Epoch ms of its arrival. */
  arrivalMs: number
  runs: TaskRun[]
  invocations: TraceInvocation[]
  /** Id of the setup that served it, where a format tells. */
  setup?: string
  /** Calls whose other end is not in the trace: a lost span, or a function that reports none. Absent: none. */
  missing?: number
}

/** What an importer could not use. */
export interface Skipped {
  file: string
  /** From 1; absent when it is the whole file. */
  line?: number
  why: string
}
