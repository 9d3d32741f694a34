import type { FusionizeError } from 'fusionize'
import type { BucketOp, LogEntry, ObjectRef } from 'fusionize/runtime'
import * as kind from '../sandbox/kinds.js'
import type { Head, HeldHead, Part } from '../sandbox/messages.js'
import type { BucketDesk } from './bucket-desk.js'
import type { Exit, Host } from './host.js'
import type { Job } from './job.js'
import type { LinkedWork } from './linked-work.js'
import { textOf } from './parts.js'
import type { Pool } from './pool.js'

/** A call or send that left a sandbox, as its message says it. */
export interface Leaving {
  id: string
  session: string
  task: string
  function: string
  /** The sandbox to which it was sent over a link before, without an answer. */
  lost: string | undefined
  deadline: number
  trace: string
  parent: string
  input: Part
}

/** A line of a function's log: through its context, or from a standard stream. */
export type FunctionLog = LogEntry & { function: string; sandbox: string; stream: 'log' | 'stdout' | 'stderr' }

/** What the engine does for its sandboxes. */
export interface SandboxOwner {
  loaded(sandbox: Sandbox): void
  call(sandbox: Sandbox, no: number, request: Leaving): void
  send(sandbox: Sandbox, no: number, request: Leaving): void
  reply(sandbox: Sandbox, job: Job, reply: Reply): void
  settled(sandbox: Sandbox, job: Job, id: string, ok: boolean, part: Part, no: number, held: Held[]): void
  /** Nothing of the job runs any more. */
  done(sandbox: Sandbox, job: Job, record: Part, busy: boolean): void
  /** A send that it holds begins as a job of its own. */
  begins(sandbox: Sandbox, job: string, send: string): void
  /** Sends that it holds are to be run elsewhere. */
  release(sandbox: Sandbox, sends: string[]): void
  abandon(job: Job): void
  /** Its link: it takes links, it takes nothing more. */
  listening(sandbox: Sandbox): void
  revoked(sandbox: Sandbox): void
  /** What went over links. */
  readonly linked: LinkedWork
  /** What concerns buckets. */
  readonly buckets: BucketDesk
  log(entry: FunctionLog): void
  ended(sandbox: Sandbox, exit: Exit): void
  /** `sandbox.waiting` changed. */
  load(sandbox: Sandbox): void
}

/** A job's answer, with what it leaves behind. */
export interface Reply {
  ok: boolean
  part: Part
  /** 0: nothing is held; -1: nothing is held and the caller has the answer; else what the sandbox waits for. */
  no: number
  held: Held[]
  /** Present when nothing of the job runs any more. */
  record: Part
  /** The sandbox goes on with a send that it holds: it is not free. */
  busy: boolean
}

export interface Held {
  head: HeldHead
  input: Part
}

/** A bucket's operation without the value of a put, unless that is named: `ref`. */
export type BucketHead = DistributiveOmit<BucketOp, 'value'> & { ref?: ObjectRef }
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

export type BeganHead = [
  kind: number,
  job: string,
  id: string,
  session: string,
  task: string,
  deadline: number,
  trace: string,
  parent: string,
  mode?: 'call' | 'send',
]
type AnswerHead = [
  kind: number,
  job: number | string,
  ok: boolean,
  no: number,
  held: HeldHead[],
  idOrOver: string | boolean,
  busy?: boolean,
]
export type MirrorHead = [
  kind: number,
  session: string,
  ops: BucketHead[],
  ended: 'no' | 'lease' | 'session',
  over: string[],
]
type LogHead = [kind: number, level: LogEntry['level'], task: string, session: string, time: number]

/** Lines of standard error kept to say why a sandbox ended. */
const STDERR_LINES = 40

/** Characters of a line that a sandbox prints while it starts. */
const MAX_LINE = 500

/** The engine's side of one sandbox. */
export class Sandbox {
  /** `loaded`: its module is, but an emulated start-up still takes time. */
  state: 'starting' | 'loaded' | 'ready' | 'ended' = 'starting'
  host: Host | undefined
  /** Running or after their reply, by number. */
  readonly jobs = new Map<number | string, Job>()
  /** Calls that left it and are not answered, by its own count. */
  readonly calls = new Map<number, Job | undefined>()
  /** Id of the last send that began over its link. */
  lastSend: string | undefined
  /** The only caller that it serves, over a link. */
  lentTo: Sandbox | undefined
  /** Tells its links apart. */
  token = 0
  /** The last call over a link that a callee, by id, began. */
  readonly begun = new Map<string, number>()
  /** What became of callees, by id, that died while they served this one over a link. */
  readonly bereft = new Map<string, string>()
  /** The link is being taken back. */
  revoking = false
  /** Sandboxes that serve this one over links, by function. */
  readonly borrowed = new Map<string, Sandbox>()
  /** Whether it takes links: asked to, and ready to. */
  listening: 'no' | 'asked' | 'yes' = 'no'
  /** What its buckets did is on its way to the journal. */
  writing: Promise<void> | undefined
  /** Every job in it waits for a call, so it needs no CPU. */
  waiting = false
  /** Start-up to report with the first invocation, ms; null afterwards. */
  cold: number | null = null
  /** Started before a job needed it. */
  ahead = false
  coldKind: 'natural' | 'forced' | 'prewarmed' = 'natural'
  /** `performance.now()` */
  readonly started = performance.now()
  idleSince = 0
  /** What nothing in it caught, as it reported. */
  fatal: { origin: string; error: string } | undefined
  /** Why the engine ended it, if it did. */
  endedFor: FusionizeError | 'idle' | undefined
  readonly stderr: string[] = []
  /** Messages that wait for an object that came before them. */
  #gated: [Head, Part[]][] | undefined
  /** Who waits for `synced`. */
  readonly #waiting: (() => void)[] = []

  constructor(
    readonly id: string,
    readonly pool: Pool,
    readonly owner: SandboxOwner,
  ) {}

  run(job: Job): void {
    const { transfer } = job.request
    this.runs(job)
    const { cold } = this
    this.cold = null
    if (transfer === undefined) this.#begin(job, cold)
    else transfer.arrive(this.pool.spec.memory, () => this.#arrived(job, cold))
  }

  /** The input is there. */
  #arrived(job: Job, cold: number | null): void {
    if (!this.jobs.has(job.no)) return
    if (!job.void) {
      this.#begin(job, cold)
      return
    }
    // Nobody waits for it any more.
    this.cold = cold
    this.#leave(job.no)
    this.owner.done(this, job, undefined, false)
  }

  #begin(job: Job, cold: number | null): void {
    const { request } = job
    const lease = this.owner.buckets.lease(this, job)
    const objects = this.owner.buckets.objects(request.input)
    const post = (refs?: string[], parts: Part[] = []) => this.#invoke(job, cold, lease, refs, parts)
    if (objects === undefined) post()
    else void objects.parts.then((parts) => post(objects.refs, parts))
  }

  #invoke(job: Job, cold: number | null, lease: boolean, refs: string[] | undefined, objects: Part[]): void {
    const { request } = job
    if (this.state === 'ended') return
    this.host?.channel.post(
      [
        kind.invoke,
        job.no,
        request.id,
        request.session,
        request.task,
        request.mode,
        request.external,
        request.attempt,
        job.deadline,
        request.trace,
        request.parent,
        cold,
        cold === null ? null : this.coldKind,
        ...(lease || refs ? [lease] : []),
        ...(refs ? [refs] : []),
      ],
      [request.input, ...objects],
      // Input from outside, or of a send that may be tried again, belongs to whoever keeps it.
      job.nested,
    )
  }

  /** A job runs in it that came over its link. */
  runs(job: Job): void {
    job.begin(this)
    this.jobs.set(job.no, job)
    const { size } = this.jobs
    if (size > 1) for (const other of this.jobs.values()) other.together = Math.max(other.together, size)
    this.#weigh()
  }

  /** A call of this sandbox is under way. */
  calling(no: number, job: Job | undefined): void {
    this.calls.set(no, job)
    this.#weigh()
  }

  /** A call of this sandbox needs no more answer. */
  called(no: number): boolean {
    if (!this.calls.delete(no)) return false
    this.#weigh()
    return true
  }

  /** Answers a call of this sandbox; a call that was given up is not answered. */
  result(no: number, ok: boolean, part: Part): void {
    if (this.called(no)) this.refuseOrAnswer(no, ok, part)
  }

  refuseOrAnswer(no: number, ok: boolean, part: Part): void {
    if (this.state !== 'ended') this.host?.channel.post([kind.result, no, ok], [part], true)
  }

  /** Answers with what names large objects. */
  answerWith(no: number, part: Part, refs: string[], objects: Part[]): void {
    if (this.state !== 'ended') this.host?.channel.post([kind.result, no, true, refs], [part, ...objects])
  }

  accepted(no: number, known: readonly string[]): void {
    if (this.state !== 'ended') this.host?.channel.post([kind.accepted, no, known])
  }

  /** Wants the session's lease back. */
  recall(session: string): void {
    if (this.state !== 'ended') this.host?.channel.post([kind.recall, session])
  }

  /** @param run id of an invocation, or of a run that is inline in one */
  cancel(run: string, reason: 'cancelled' | 'timeout'): void {
    if (this.state !== 'ended') this.host?.channel.post([kind.cancel, run, reason])
  }

  /** Resolves when all has arrived that it said until now, or it is gone. */
  heard(): Promise<void> {
    if (this.state === 'ended') return Promise.resolve()
    this.host?.channel.post([kind.sync])
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #synced(): void {
    this.#waiting.shift()?.()
  }

  /** Its process or thread is gone. */
  gone(): void {
    this.state = 'ended'
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  end(reason: FusionizeError | 'idle'): void {
    if (this.state === 'ended') return
    this.endedFor ??= reason
    this.host?.kill()
  }

  receive(head: Head, parts: Part[]): void {
    // What it ran is somebody else's by now.
    if (this.state === 'ended') return
    if (this.#gated) {
      this.#gated.push([head, parts])
      return
    }
    switch (head[0]) {
      case kind.ready:
        this.owner.loaded(this)
        break
      case kind.call:
        if (!this.calls.has(head[1] as number)) this.calling(head[1] as number, undefined)
        this.owner.call(this, head[1] as number, leavingOf(head, parts[0]))
        break
      case kind.send:
        this.owner.send(this, head[1] as number, leavingOf(head, parts[0]))
        break
      case kind.reply:
      case kind.settled:
        this.#answered(head as AnswerHead, parts)
        break
      case kind.done:
        this.#done(head[1] as number, parts[0], head[2] === true)
        break
      case kind.abandon:
        this.#abandon(head[1] as number, head[2] as string | null)
        break
      case kind.listening:
        this.owner.listening(this)
        break
      case kind.began:
        this.owner.linked.began(this, head as BeganHead)
        break
      case kind.overdue:
        this.owner.linked.overdue(this, head[1] as string, [kind.began, ...head.slice(2)] as BeganHead)
        break
      case kind.revoked:
        this.owner.revoked(this)
        break
      case kind.synced:
        this.#synced()
        break
      case kind.unsent:
        this.owner.linked.unsent(head[1] as string, head[2] as string)
        break
      case kind.begins:
        this.owner.begins(this, head[1] as string, head[2] as string)
        break
      case kind.release:
        this.owner.release(this, head[1] as string[])
        break
      case kind.bucket:
        this.owner.buckets.op(this, head[1] as number, head[2] as BucketHead, parts[0])
        break
      case kind.object:
        this.#arriving(this.owner.buckets.object(head[1] as string, head[2] as number, parts[0]))
        break
      case kind.mirror:
        this.owner.buckets.mirror(this, head as MirrorHead, parts)
        break
      case kind.outcome:
        this.owner.buckets.outcome(this, head[1] as string, parts[0])
        break
      case kind.log:
        this.#logged(head as LogHead, parts)
        break
      case kind.fatal:
        this.fatal = { origin: head[1] as string, error: textOf(parts[0]) }
    }
  }

  /** What it says from now on may name the object, so it waits until that is there. */
  #arriving(stored: Promise<void> | undefined): void {
    if (stored === undefined) return
    this.#gated = []
    const open = () => {
      const gated = this.#gated ?? []
      this.#gated = undefined
      for (const [head, parts] of gated) this.receive(head, parts)
    }
    // An object that could not be kept is missed by whoever reads it.
    stored.then(open, open)
  }

  #answered([code, jobNo, ok, no, heads, last, busy = false]: AnswerHead, parts: Part[]): void {
    const job = this.jobs.get(jobNo)
    if (job === undefined) return
    const part = parts[0]
    const held = heads.map((head, i) => ({ head, input: parts[i + 1] }))
    if (code === kind.settled) {
      this.owner.settled(this, job, last as string, ok, part, no, held)
      return
    }
    if (last === true) this.#leave(jobNo)
    this.owner.reply(this, job, { ok, part, no, held, record: last === true ? parts.at(-1) : undefined, busy })
  }

  #leave(jobNo: number | string): void {
    this.jobs.delete(jobNo)
    this.#weigh()
  }

  #done(jobNo: number | string, record: Part, busy: boolean): void {
    const job = this.jobs.get(jobNo)
    if (job === undefined) return
    this.#leave(jobNo)
    this.owner.done(this, job, record, busy)
  }

  #abandon(no: number, linked: string | null): void {
    const job = this.calls.get(no)
    this.called(no)
    if (job) this.owner.abandon(job)
    else if (linked !== null) this.owner.linked.abandonEarly(this, no, linked)
  }

  #logged([, level, task, session, time]: LogHead, parts: Part[]): void {
    const data = parts[1] === undefined ? {} : { data: textOf(parts[1]) }
    this.#log({ level, task, session, time, message: textOf(parts[0]), ...data }, 'log')
  }

  output(stream: 'stdout' | 'stderr', line: string): void {
    // A module that does not load is shown with the line of code, and an artifact is one long line.
    const message = this.state === 'starting' && line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line
    if (stream === 'stderr' && this.stderr.push(message) > STDERR_LINES) this.stderr.shift()
    const running = [...this.jobs.values()]
    const only = running.length === 1 ? running[0]?.request : undefined
    const level = stream === 'stdout' ? 'info' : 'error'
    const task = only?.task ?? this.pool.function
    this.#log({ level, task, session: only?.session ?? '', message, time: Date.now() }, stream)
  }

  #log(entry: LogEntry, stream: FunctionLog['stream']): void {
    this.owner.log({ ...entry, function: this.pool.function, sandbox: this.id, stream })
  }

  #weigh(): void {
    // Which of several jobs a call belongs to is not known here; when all of them wait, there is a call for each.
    const waiting = this.jobs.size > 0 && this.calls.size >= this.jobs.size
    if (waiting === this.waiting) return
    this.waiting = waiting
    this.owner.load(this)
  }
}

function leavingOf(head: Head, input: Part): Leaving {
  const [, , id, session, task, fn, deadline, trace, parent, lost] = head as [
    number,
    number,
    string,
    string,
    string,
    string | null,
    number,
    string,
    string,
    string | undefined,
  ]
  return { id, session, task, function: fn ?? task, deadline, trace, parent, input, lost }
}
