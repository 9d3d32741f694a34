import { AsyncLocalStorage } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import type { TaskDefinition } from '../definition.js'
import { type FusionizeError, timeoutError } from '../errors.js'
import { fingerprint } from '../fingerprint.js'
import { hex8 } from '../hex.js'
import type { DeliveryHead } from './delivery.js'
import type { Lease } from './lease.js'
import type { HeldSend, Invocation, InvocationPort, LogEntry } from './protocol.js'
import type { Router } from './router.js'
import { Spans } from './spans.js'
import { support } from './support.js'
import { stringify } from './wire.js'

/** The current request as a task sees it. */
export interface Context {
  /** The external request that everything here follows from. */
  readonly session: string
  /** Id of this run of the task: the same in a retry, whatever the setup. Use it to make effects idempotent. */
  readonly invocation: string
  /** 1 for the first try. */
  readonly attempt: number
  /** Epoch ms after which nobody waits for the result. */
  readonly deadline: number
  /** Aborts when the deadline passes or nobody waits any more. */
  readonly signal: AbortSignal
  readonly log: Log
}

export interface Log {
  debug(message: string, data?: unknown): void
  info(message: string, data?: unknown): void
  warn(message: string, data?: unknown): void
  error(message: string, data?: unknown): void
}

/** Holds the frame of the task that is running. */
export const current = new AsyncLocalStorage<Frame>()

/** One invocation of the function: what all its frames share. */
export class Run {
  readonly spans: Spans
  /** W3C id of the root span; its low half counts the spans. */
  readonly spanId = randomSpanId()
  /** Frames, held sends and remote calls that are not over; the invocation is done at zero. */
  open = 0
  /** µs from the start to the reply. */
  replied = 0
  /** Ms from the start until nothing of it was under way. */
  workedMs = 0
  /** What started it, when a trigger did. */
  delivery: DeliveryHead | undefined
  /** What it did with buckets. */
  data: BucketData | undefined
  /** Items of a bundle. */
  items: number | undefined
  /** CPU ms of a sampled one that has no root span. */
  cpuMs: number | undefined
  private ended = false

  constructor(
    readonly router: Router,
    readonly request: Invocation,
    /** The unit of the invocation itself. */
    readonly unit: Unit,
    readonly port: InvocationPort,
    sampled: boolean,
    /** The right to evaluate the session's fused buckets. */
    readonly lease: Lease | undefined,
    readonly whenDone: (run: Run) => void,
  ) {
    this.spans = new Spans(sampled)
    if (lease) lease.runs++
  }

  /** A unit is over. */
  close(): void {
    if (--this.open === 0) this.end()
  }

  /**
   * A call or send is over. When it is the last, nobody awaited it: what its caller does next gets its turn before the invocation
   * counts as over.
   */
  closeCall(): void {
    if (--this.open === 0) setImmediate(() => this.end())
  }

  /** Calls that a task makes even later work, but are in no record. */
  private end(): void {
    if (this.open > 0 || this.ended) return
    this.ended = true
    this.workedMs = this.spans.now() / 1000
    if (this.lease && --this.lease.runs === 0) this.lease.end(false)
    this.whenDone(this)
    // Its puts live as long as their session, and keep it.
    this.unit.fused = undefined
  }
}

/** Work that is accepted and answered for as one: the invocation itself, an inline send after its reply, or what a fused bucket started. */
export class Unit {
  /** Work made here that begins when this unit is answered and it is held outside. */
  held: Held[] | undefined
  /** What fused buckets started for it. */
  fused: Fused | undefined
  /** What must have left before this unit may be answered. */
  left: Promise<unknown>[] | undefined
  answered = false
  /** The unit that answers for this one, as long as this is not held outside itself. */
  root: Unit | undefined
  /** Resolves when what this unit left behind is held outside, with what must not run here; rejects when it could not be. */
  handover: Promise<ReadonlySet<string>> | undefined
  #abort: AbortController | undefined
  #reason: FusionizeError | undefined

  constructor(
    private readonly of: { readonly id: string },
    readonly attempt: number,
    /** Nobody waits for its answer, so what it starts need not wait for it either. */
    readonly detached: boolean,
  ) {}

  get id(): string {
    return this.of.id
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = unboundedAbort()
      if (this.#reason) this.#abort.abort(this.#reason)
    }
    return this.#abort.signal
  }

  /** Nobody waits for this unit any more. */
  cancel(reason: FusionizeError): void {
    this.#reason ??= reason
    this.#abort?.abort(this.#reason)
  }
}

/** Work that a unit leaves behind: an inline send, or what a trigger of a fused bucket starts. */
export interface Held {
  readonly id: string
  readonly definition: TaskDefinition
  readonly span: number
  /** Called when it begins: the task's input. */
  begin(): unknown
  /** As the platform keeps it. */
  send(): HeldSend
}

/** What fused buckets start on behalf of a unit (`fused.ts`). */
export interface Fused {
  /** Before the unit is answered: resolves when what has begun is over, or has been under way for long. */
  quiet(unit: Unit): Promise<void> | undefined
  /** What the platform must hold before the unit may be answered. */
  left(): readonly Held[]
  nextSends(): readonly HeldSend[]
  /** All that was left is held. @param free nothing else of the run is under way */
  handed(run: Run, next: readonly HeldSend[], free: boolean): void
}

/** What a run did with buckets, for its record. */
export interface BucketData {
  /** `BucketFigures` as JSON text. */
  text(): string
}

/** One run of one task. */
export class Frame implements Context {
  private places = 0
  /** What it does with buckets. */
  data: unknown
  /** Called when the run is over. */
  onOver: ((ok: boolean) => void) | undefined
  /** Made when it is asked for; given to the frame that stands for the caller of a bundle. */
  id: string | undefined
  /** Of a run with a limit of its own, or one that can be stopped alone. */
  abort: AbortController | undefined

  constructor(
    readonly run: Run,
    readonly unit: Unit,
    readonly parent: Frame | undefined,
    /** Place among the calls that the parent made; with `parent` it makes the id. */
    readonly place: number,
    readonly definition: TaskDefinition,
    readonly span: number,
    /** A deadline of its own, sooner than the parent's. A frame of the first generation has one. */
    private readonly ownDeadline: number | undefined,
  ) {}

  get deadline(): number {
    return this.ownDeadline ?? this.parent?.deadline ?? Number.MAX_SAFE_INTEGER
  }

  /** Numbers the calls that this frame makes, whatever their route, so that ids do not depend on the setup. */
  nextPlace(): number {
    return ++this.places
  }

  get invocation(): string {
    this.id ??= this.parent === undefined ? this.unit.id : childId(this.parent.invocation, this.place)
    return this.id
  }

  get session(): string {
    return this.run.request.session
  }

  get attempt(): number {
    return this.unit.attempt
  }

  get signal(): AbortSignal {
    return support.signalOf?.(this) ?? this.abort?.signal ?? this.parent?.signal ?? this.unit.signal
  }

  get log(): Log {
    const write = (level: LogEntry['level']) => (message: string, data?: unknown) =>
      this.run.router.log({
        level,
        task: this.definition.name,
        session: this.session,
        message,
        ...(data === undefined ? {} : { data: stringify(data) }),
        time: Date.now(),
      })
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  }

  /**
   * Gives this frame a time limit of its own: rejects, and aborts `signal`, when `run` takes longer. What ran too long cannot be
   * stopped; it goes on unheard.
   */
  limit<T>(run: () => Promise<T>, timeoutMs: number): Promise<T> {
    const abort = unboundedAbort()
    const outer = this.parent?.signal ?? this.unit.signal
    const follow = () => abort.abort(outer.reason)
    outer.addEventListener('abort', follow)
    this.abort = abort
    let timer: NodeJS.Timeout
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = timeoutError(this.definition.name, timeoutMs)
        abort.abort(error)
        reject(error)
      }, timeoutMs)
    })
    return Promise.race([run(), late]).finally(() => {
      clearTimeout(timer)
      outer.removeEventListener('abort', follow)
    })
  }
}

/** Every remote call listens to it, and Node warns of a leak at eleven. */
export function unboundedAbort(): AbortController {
  const abort = new AbortController()
  setMaxListeners(0, abort.signal)
  return abort
}

/** Id of the `place`-th call made by `parent`; long paths (deep recursion) are folded. */
export function childId(parent: string, place: number): string {
  const id = `${parent}.${place}`
  return id.length <= 160 ? id : `${id.slice(0, 40)}~${fingerprint(id)}`
}

/** A fresh W3C span id whose low half is zero; never all zeros. */
function randomSpanId(): string {
  return `${hex8(1 + Math.random() * 0xfffffffe)}00000000`
}
