import type { Transfer } from '../emulation/passing.js'
import type { Part } from '../sandbox/messages.js'
import type { Pool } from './pool.js'
import type { Sandbox } from './sandbox.js'
import type { WheelEntry } from './wheel.js'

/** Ms by which a deadline may differ from its task's limit because the clock was read twice. */
const ROUNDING_MS = 20

/** What a job asks for; see `Invocation` in `fusionize/runtime`. */
export interface JobRequest {
  id: string
  session: string
  task: string
  mode: 'call' | 'send'
  external: boolean
  attempt: number
  /** Epoch ms: until when somebody waits for it, be it queued or running. */
  deadline: number
  /** Longest that it may run, ms. Starting a sandbox and waiting for one do not count. */
  limitMs: number
  trace: string
  parent: string | null
  input: Part
  /** How the input comes, where that is emulated. */
  transfer?: Transfer | undefined
}

export type Answer = (ok: boolean, part: Part) => void

/** Who minds a job while it lasts. */
export interface JobOwner {
  /** Its deadline has come nearer. */
  sooner(job: Job): void
  /** Its time is up. */
  expire(job: Job): void
  /** Called once. */
  over(job: Job): void
}

/**
 * One invocation of a function on its way through the engine: queued → running → answered → over. The caller is answered exactly
 * once; the job is over when nothing of it runs any more.
 */
export class Job implements WheelEntry {
  state: 'queued' | 'running' | 'answered' | 'over' = 'queued'
  slot: number | undefined
  before: WheelEntry | undefined
  after: WheelEntry | undefined
  sandbox: Sandbox | undefined
  /** The sandbox that waits for it. */
  caller: Sandbox | undefined
  /** Nobody waits for it any more: what it would leave behind is not accepted. */
  void = false
  /** Jobs that were in its sandbox with it at most, itself included. */
  together = 1
  /** Epoch ms. */
  readonly arrived = Date.now()
  /** Epoch ms: the request's, until a run begins whose own limit ends earlier. */
  deadline: number
  owner: JobOwner | undefined
  readonly #answer: Answer

  constructor(
    /** The engine's number; for a call over a link, the caller's sandbox and its number there. */
    readonly no: number | string,
    readonly request: JobRequest,
    readonly pool: Pool,
    /** A sandbox waits for it: goes before work that nobody inside waits for. */
    readonly nested: boolean,
    answer: Answer,
  ) {
    this.#answer = answer
    this.deadline = request.deadline
  }

  /** A sandbox takes it: its own limit counts from now on. */
  begin(sandbox: Sandbox): void {
    this.state = 'running'
    this.sandbox = sandbox
    const end = Date.now() + this.request.limitMs
    if (end >= this.deadline) return
    this.deadline = end
    this.owner?.sooner(this)
  }

  /** Its time is up: the deadline first, then the grace. */
  due(): void {
    this.owner?.expire(this)
  }

  /** What it was given, ms: its task's limit, or what its caller had left. */
  get givenMs(): number {
    const { deadline, limitMs } = this.request
    const given = deadline - this.arrived
    return this.deadline < deadline || Math.abs(given - limitMs) < ROUNDING_MS ? limitMs : given
  }

  /** @returns false when the caller was answered before */
  answer(ok: boolean, part: Part): boolean {
    if (this.state === 'answered' || this.state === 'over') return false
    this.state = 'answered'
    this.#answer(ok, part)
    return true
  }

  /** The caller got its answer over a link. */
  answered(): void {
    if (this.state === 'running') this.state = 'answered'
  }

  finish(): void {
    if (this.state === 'over') return
    this.state = 'over'
    this.owner?.over(this)
  }
}
