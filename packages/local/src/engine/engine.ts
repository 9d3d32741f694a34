import { randomBytes } from 'node:crypto'
import { FusionizeError, timeoutError } from 'fusionize'
import { spanOf } from 'fusionize/record'
import { itemsIn, type Outcome, type SandboxInfo } from 'fusionize/runtime'
import type { Buckets } from '../buckets/index.js'
import type { PassedBy, Transfer } from '../emulation/passing.js'
import { mbPerCore } from '../prices.js'
import type { Part } from '../sandbox/messages.js'
import type { Send } from '../send.js'
import { amend } from './amend.js'
import { BucketDesk } from './bucket-desk.js'
import type { Deployment } from './deployment.js'
import { exitError, shuttingDown, startError, unknownTask, wireText } from './failures.js'
import type { Exit, StartHost } from './host.js'
import { type Answer, Job, type JobOwner, type JobRequest } from './job.js'
import { LinkedWork } from './linked-work.js'
import { Links } from './links.js'
import { bytesIn, outcomeOf, payloadOf, textOf } from './parts.js'
import type { Pool } from './pool.js'
import { type FunctionLog, type Held, type Leaving, type Reply, Sandbox, type SandboxOwner } from './sandbox.js'
import { type Limits, Scheduler } from './scheduler.js'
import { Wheel } from './wheel.js'

/** Ms between a deadline and the end of a sandbox that still works on what nobody waits for. */
const GRACE_MS = 500
/** Ms before the second start of a function that failed to start; doubles with each failure. */
const BACK_OFF_MS = 200
const MAX_BACK_OFF_MS = 30_000

/** What the engine tells and asks its surroundings. */
export interface EnginePorts {
  startHost: StartHost
  /** Keeps the sends; resolves with the ids that are known already. `heldBy`: the sandbox that runs them now. */
  accept(items: Send[], heldBy?: string): Promise<readonly string[]>
  /** An inline send, held by a sandbox, ended there. */
  settled(id: string, outcome: Outcome): void
  /** A send that a sandbox holds or is about to. */
  held(id: string): Send | undefined
  /** A send that the sandbox holds will not run there. */
  release(id: string, sandbox: string): void
  /** The sandbox that held sends is gone. */
  orphan(sandbox: string): void
  buckets: Buckets
  record(line: string): void
  log(entry: FunctionLog): void
}

export interface EngineOptions extends Limits {
  /** Limit of a task that sets none, ms. */
  timeoutMs: number
  keepAliveMs: number
  sampleCpuEvery: number
  dev: boolean
  /** Folder into which sandboxes write large objects. */
  objects: string
}

/** A node's local scheduler: sandboxes, and the invocations that move between them (DESIGN §7). */
export class Engine implements SandboxOwner, JobOwner {
  readonly scheduler: Scheduler
  readonly buckets: BucketDesk
  readonly linked: LinkedWork
  readonly #wheel = new Wheel()
  readonly #links: Links
  readonly #live = new Map<string, Sandbox>()
  /** Outcomes of sends over links that are not accepted yet. */
  readonly #early = new Map<string, Outcome>()
  /** Who made a send that is on its way to be accepted. */
  readonly #senders = new Map<string, Sandbox>()
  /** How inputs of sends come that are on their way, where that is emulated. */
  readonly #transfers = new Map<string, Transfer>()
  readonly #sweep: NodeJS.Timeout
  readonly #name = randomBytes(3).toString('hex')
  #jobs = 0
  #open = 0
  #sandboxes = 0
  #closing = false
  #idle: (() => void)[] = []
  #gone: (() => void)[] = []

  constructor(
    readonly options: EngineOptions,
    readonly ports: EnginePorts,
  ) {
    this.buckets = new BucketDesk(ports.buckets)
    this.linked = new LinkedWork({
      find: (id) => this.#live.get(id),
      limitMs: ({ pool }, task) => this.timeoutOf(pool.deployment, task),
      admit: (job) => this.#admit(job),
      mind: (job) => this.#mind(job),
      abandon: (job) => this.abandon(job),
      runsSend: (sandbox, no, send) => this.#runsSend(sandbox, no, send),
      release: (id, sandbox) => ports.release(id, sandbox),
    })
    this.scheduler = new Scheduler(
      options,
      (pool, ahead) => this.#start(pool, ahead),
      (sandbox) => this.#links.revoke(sandbox),
    )
    this.#links = new Links(
      ({ pool }) => this.timeoutOf(pool.deployment, pool.function),
      (sandbox) => this.#endStuck(sandbox, sandbox.pool.function),
      ({ pool }) => this.#longestMs(pool),
    )
    this.#sweep = setInterval(() => this.#endIdle(), Math.max(50, Math.min(10_000, options.keepAliveMs / 4)))
    this.#sweep.unref()
  }

  /** Jobs that are not over. */
  get open(): number {
    return this.#open
  }

  /**
   * Runs an invocation; `answer` is called once, with the callee's answer or the platform's error.
   * @param nested a sandbox waits for it
   */
  submit(deployment: Deployment, fn: string, request: JobRequest, nested: boolean, answer: Answer): Job | undefined {
    const pool = deployment.poolFor(request.task, fn)
    const refusal = this.#closing
      ? shuttingDown()
      : pool === undefined
        ? unknownTask(request.task, deployment.id)
        : undefined
    if (pool === undefined || refusal !== undefined) {
      answer(false, wireText(refusal))
      return undefined
    }
    if (pool.broken !== undefined && Date.now() < pool.broken.until) {
      answer(false, pool.broken.error)
      return undefined
    }
    const job = new Job(++this.#jobs, request, pool, nested, answer)
    if (request.mode === 'send') {
      job.caller = this.#senders.get(request.id)
      this.#senders.delete(request.id)
      if (this.#transfers.size > 0) {
        request.transfer = this.#transfers.get(request.id)
        this.#transfers.delete(request.id)
      }
    }
    this.#admit(job)
    if (request.external) this.#startAhead(deployment, request)
    this.scheduler.submit(job)
    this.#mind(job)
    return job
  }

  #startAhead(deployment: Deployment, { task, attempt, session }: JobRequest): void {
    const ahead = deployment.aheadOf(task)
    if (ahead === undefined || attempt > 1) return
    for (const { pool, afterMs } of ahead)
      setTimeout(() => {
        const isOver = this.#closing || (deployment.weight === 0 && deployment.sessions.size === 0)
        const isBroken = pool.broken !== undefined && Date.now() < pool.broken.until
        const jobs = pool.width?.yet(session) ?? 1
        if (!isOver && !isBroken) this.scheduler.startAhead(pool, Math.ceil(jobs / pool.concurrency))
      }, afterMs).unref()
  }

  /** Counts the job until it is over. */
  #admit(job: Job): void {
    this.#open++
    job.pool.deployment.enter(job.request.session)
    job.pool.width?.enter(job.request.session)
    job.owner = this
  }

  /** Minds the deadline of a job that is not over; one that has begun may be minded already. */
  #mind(job: Job): void {
    if (job.slot === undefined && job.state !== 'over') this.#wheel.add(job, job.deadline)
  }

  sooner(job: Job): void {
    this.#wheel.add(job, job.deadline)
  }

  over(job: Job): void {
    this.#wheel.remove(job)
    job.pool.width?.leave(job.request.session)
    job.pool.deployment.leave(job.request.session)
    if (--this.#open === 0) for (const idle of this.#idle.splice(0)) idle()
  }

  /** Nobody waits for the job any more. */
  abandon(job: Job): void {
    if (job.state === 'queued') {
      this.scheduler.withdraw(job)
      job.finish()
    } else if (job.state === 'running') {
      job.void = true
      job.sandbox?.cancel(job.request.id, 'cancelled')
    }
  }

  /** Nobody needs what the run does, be it an invocation or inline in one of the session's. */
  cancel(session: string, run: string): void {
    for (const sandbox of this.#live.values())
      for (const { request } of sandbox.jobs.values())
        if (request.session === session) {
          sandbox.cancel(run, 'cancelled')
          break
        }
  }

  /** Resolves when no job is under way. */
  async drained(): Promise<void> {
    do {
      if (this.#open > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
      // A caller has the answer to its call over a link before the engine hears of the call.
      const lent = [...this.#live.values()].filter((sandbox) => sandbox.lentTo !== undefined)
      await Promise.all(lent.map((sandbox) => sandbox.heard()))
    } while (this.#open > 0)
  }

  /** Ends the sandboxes of a deployment that has no sessions. */
  retire(deployment: Deployment): void {
    for (const pool of deployment.pools.values()) {
      for (const sandbox of pool.sandboxes) if (sandbox.jobs.size === 0) this.#dismiss(sandbox)
      pool.lastCaller = undefined
      this.scheduler.forget(pool)
    }
  }

  /** Ends every sandbox; callers under way get an error. */
  async close(): Promise<void> {
    this.#closing = true
    clearInterval(this.#sweep)
    refuse(this.scheduler.close(), wireText(shuttingDown()))
    for (const sandbox of this.#live.values()) sandbox.end(shuttingDown())
    if (this.#live.size > 0) await new Promise<void>((resolve) => this.#gone.push(resolve))
    this.#wheel.close()
    this.#links.close()
  }

  // — what sandboxes say —

  loaded(sandbox: Sandbox): void {
    if (sandbox.endedFor !== undefined) return
    const { pool } = sandbox
    const realMs = performance.now() - sandbox.started
    pool.broken = undefined
    this.scheduler.loaded(sandbox)
    sandbox.coldKind = sandbox.ahead ? 'prewarmed' : pool.deployment.forceCold ? 'forced' : 'natural'
    const { emulation } = pool.deployment
    if (emulation === undefined) {
      sandbox.cold = realMs
      this.#ready(sandbox)
      return
    }
    const { provisionMs, initMs } = emulation.startUp(pool.artifact.bytes)
    sandbox.cold = Math.max(initMs, realMs - provisionMs)
    setTimeout(() => this.#ready(sandbox), Math.max(0, provisionMs + initMs - realMs))
  }

  #ready(sandbox: Sandbox): void {
    if (sandbox.endedFor !== undefined || sandbox.state === 'ended') return
    sandbox.host?.limitCpu()
    this.scheduler.ready(sandbox)
    if (sandbox.cold !== null && sandbox.coldKind === 'natural') sandbox.coldKind = 'prewarmed'
  }

  call(sandbox: Sandbox, no: number, request: Leaving): void {
    if (request.lost !== undefined && this.linked.settled(sandbox, no, request.lost)) return
    const delayMs = handOverMs('call', sandbox, request)
    if (delayMs > 0) setTimeout(() => this.#call(sandbox, no, request), delayMs)
    else this.#call(sandbox, no, request)
  }

  #call(sandbox: Sandbox, no: number, request: Leaving, transfer?: Transfer): void {
    if (!sandbox.calls.has(no)) return
    const { deployment, passing } = sandbox.pool
    if (passing !== undefined && transfer === undefined && passing.has(request.task)) {
      pass(sandbox, request, (given) => this.#call(sandbox, no, request, given))
      return
    }
    const job = this.submit(
      deployment,
      request.function,
      {
        id: request.id,
        session: request.session,
        task: request.task,
        mode: 'call',
        external: false,
        attempt: 1,
        deadline: request.deadline,
        // Items of a bundle have a limit each, which their handler keeps; one after the other they may take all of these.
        limitMs: this.timeoutOf(deployment, request.task) * Math.max(1, itemsIn(request.id)),
        trace: request.trace,
        parent: request.parent,
        input: request.input,
        transfer,
      },
      true,
      (ok, part) => sandbox.result(no, ok, part),
    )
    if (job === undefined) return
    job.caller = sandbox
    if (sandbox.calls.has(no)) sandbox.calls.set(no, job)
  }

  listening(sandbox: Sandbox): void {
    sandbox.listening = 'yes'
  }

  revoked(sandbox: Sandbox): void {
    this.#unlink(sandbox)
    const { deployment } = sandbox.pool
    if (sandbox.jobs.size === 0 && deployment.weight === 0 && deployment.sessions.size === 0) this.#dismiss(sandbox)
    if (sandbox.jobs.size === 0 && sandbox.state === 'ready' && sandbox.endedFor === undefined)
      this.scheduler.freed(sandbox)
    else this.scheduler.schedule()
  }

  #unlink(sandbox: Sandbox): void {
    this.#links.returned(sandbox)
    this.linked.forget(sandbox)
  }

  send(sandbox: Sandbox, no: number, request: Leaving): void {
    const { deployment } = sandbox.pool
    const delayMs = handOverMs('send', sandbox, request)
    const { id, session, task, trace, parent } = request
    const send = { id, session, function: request.function, task, input: payloadOf(request.input), trace, parent }
    // What the sandbox does not live to see held may be held all the same: at least once.
    const callee = request.lost === undefined ? undefined : this.#live.get(request.lost)
    if (callee === undefined) this.#senders.set(id, sandbox)
    const hold = () =>
      this.ports.accept([{ ...send, setup: deployment.id }], callee?.id).then(
        (known) => {
          if (known.length > 0) this.#senders.delete(id)
          if (callee?.state === 'ended') this.ports.orphan(callee.id)
          this.#settleEarly(id)
          sandbox.accepted(no, known)
        },
        (error) => sandbox.refuseOrAnswer(no, false, wireText(error)),
      )
    const leave = () => {
      if (!sandbox.pool.passing?.has(task)) return void hold()
      pass(sandbox, request, (transfer) => {
        this.#transfers.set(id, transfer)
        void hold().finally(() => this.#senders.has(id) || this.#transfers.delete(id))
      })
    }
    if (delayMs > 0) setTimeout(leave, delayMs)
    else leave()
  }

  reply(sandbox: Sandbox, job: Job, { ok, part, no, held, record, busy }: Reply): void {
    const answer = (): Promise<unknown> | undefined => {
      if (no === 0) {
        const kept = held.length > 0 ? this.#hold(sandbox, job, 0, held) : sandbox.writing
        if (kept)
          return kept.then(
            () => job.answer(ok, part),
            (error) => job.answer(false, wireText(error)),
          )
        job.answer(ok, part)
        return undefined
      }
      job.answered()
      job.caller?.called(callOf(job))
      return undefined
    }
    if (record !== undefined) {
      this.#over(sandbox, job, record, answer, busy)
      return
    }
    this.#wheel.add(job, Date.now() + this.#longestMs(job.pool))
    if (no <= 0) {
      answer()
      return
    }
    // Its caller was told that it failed: what it leaves behind is not accepted.
    if (job.state !== 'running' || job.void) {
      sandbox.accepted(
        no,
        held.map((item) => item.head[0]),
      )
      return
    }
    this.#hold(sandbox, job, no, held).then(
      () => job.answer(ok, part),
      (error) => job.answer(false, wireText(error)),
    )
  }

  settled(sandbox: Sandbox, job: Job, id: string, ok: boolean, part: Part, no: number, held: Held[]): void {
    this.#wheel.add(job, Date.now() + this.#longestMs(job.pool))
    const settle = () => this.ports.settled(id, outcomeOf(ok, part))
    if (no === 0 && held.length === 0) settle()
    else
      this.#hold(sandbox, job, no, held).then(settle, (error) =>
        this.ports.settled(id, outcomeOf(false, wireText(error))),
      )
  }

  #settleEarly(id: string): void {
    const outcome = this.#early.get(id)
    if (outcome === undefined) return
    this.#early.delete(id)
    this.ports.settled(id, outcome)
  }

  /** Has the sends held outside, then lets the sandbox run them. */
  async #hold(sandbox: Sandbox, job: Job, no: number, held: Held[]): Promise<void> {
    const { deployment } = job.pool
    const items = held.map(({ head: [id, session, fn, task, trace, parent], input }) => ({
      id,
      session,
      function: fn,
      task,
      input: payloadOf(input),
      trace,
      parent,
      setup: deployment.id,
    }))
    try {
      const known = await this.ports.accept(items, sandbox.id)
      if (sandbox.state === 'ended') this.ports.orphan(sandbox.id)
      if (no > 0) sandbox.accepted(no, known)
    } catch (error) {
      if (no > 0) sandbox.refuseOrAnswer(no, false, wireText(error))
      throw error
    }
  }

  done(sandbox: Sandbox, job: Job, record: Part, busy: boolean): void {
    this.#over(sandbox, job, record, () => undefined, busy)
  }

  begins(sandbox: Sandbox, no: string, id: string): void {
    const { session, task, trace, parent } = this.ports.held(id) ?? nobodys
    this.#runsSend(sandbox, no, { id, session, task, trace, parent })
  }

  /** A send began in a sandbox without the scheduler's doing: one that the sandbox holds, or that came over its link. */
  #runsSend(
    sandbox: Sandbox,
    no: string,
    send: { id: string; session: string; task: string; trace: string; parent: string },
  ): void {
    const limitMs = this.timeoutOf(sandbox.pool.deployment, send.task)
    const request = { ...send, mode: 'send' as const, external: false, attempt: 1, limitMs }
    const job = new Job(
      no,
      { ...request, deadline: Number.MAX_SAFE_INTEGER, input: undefined },
      sandbox.pool,
      false,
      (ok, part) => {
        if (this.ports.held(send.id)) this.ports.settled(send.id, outcomeOf(ok, part))
        // It was faster than the word of who sent it.
        else this.#early.set(send.id, outcomeOf(ok, part))
      },
    )
    job.caller = sandbox.lentTo
    this.#admit(job)
    sandbox.runs(job)
  }

  release(sandbox: Sandbox, sends: string[]): void {
    for (const id of sends) this.ports.release(id, sandbox.id)
  }

  #over(sandbox: Sandbox, job: Job, record: Part, answer: () => Promise<unknown> | undefined, busy: boolean): void {
    const { pool } = sandbox
    const lines = record === undefined ? [] : textOf(record).split('\n')
    if (pool.concurrency > 1 || job.request.transfer) amend(lines, job)
    for (const line of lines) this.ports.record(line)
    pool.finished(job)
    const usable = sandbox.endedFor === undefined && sandbox.state === 'ready'
    // Before the answer: a caller in a loop has the link when it calls again.
    const lent = usable && !busy && this.#links.lend(sandbox, job)
    const answered = answer()
    if (answered) void answered.then(() => job.finish())
    else job.finish()
    if (!usable || lent || busy) return
    // One that several jobs share is cold for all that come before it is idle.
    if (pool.deployment.forceCold && sandbox.jobs.size === 0) {
      this.scheduler.evict(sandbox)
      this.scheduler.schedule()
      return
    }
    if (sandbox.lentTo !== undefined) {
      sandbox.idleSince = Date.now()
      if (pool.queued > 0) this.scheduler.schedule()
      return
    }
    this.scheduler.freed(sandbox)
  }

  log(entry: FunctionLog): void {
    this.ports.log(entry)
  }

  load(sandbox: Sandbox): void {
    this.scheduler.weigh(sandbox)
  }

  ended(sandbox: Sandbox, exit: Exit): void {
    const started = sandbox.state !== 'starting'
    this.scheduler.removed(sandbox)
    sandbox.gone()
    this.#live.delete(sandbox.id)
    for (const lent of sandbox.borrowed.values()) this.#links.revoke(lent)
    if (this.#live.size === 0) for (const gone of this.#gone.splice(0)) gone()
    for (const callee of sandbox.calls.values()) if (callee) this.abandon(callee)
    sandbox.calls.clear()
    const jobs = [...sandbox.jobs.values()]
    sandbox.jobs.clear()
    this.ports.orphan(sandbox.id)
    this.buckets.gone(sandbox)
    const error = wireText(exitError(sandbox, exit))
    // What it had begun it may not have said.
    sandbox.lentTo?.bereft.set(sandbox.id, error)
    // Before its caller hears of an error and calls again.
    this.#unlink(sandbox)
    for (const job of jobs) {
      job.answer(false, error)
      job.finish()
    }
    if (!started && sandbox.endedFor === undefined) this.#failedToStart(sandbox, exit)
    this.scheduler.schedule()
  }

  // — time —

  expire(job: Job): void {
    const { sandbox, request } = job
    const error = timeoutError(request.task, job.givenMs)
    if (job.state === 'queued') {
      this.scheduler.withdraw(job)
      job.answer(false, wireText(error))
      job.finish()
      return
    }
    if (job.state === 'running' && !job.void) {
      job.void = true
      job.answer(false, wireText(error))
      sandbox?.cancel(job.request.id, 'timeout')
      this.#wheel.add(job, Date.now() + GRACE_MS)
      return
    }
    if (sandbox) this.#endStuck(sandbox, request.task)
  }

  #endStuck(sandbox: Sandbox, task: string): void {
    const fn = sandbox.pool.function
    this.scheduler.removed(sandbox)
    sandbox.end(
      new FusionizeError(
        'SANDBOX_CRASHED',
        `the sandbox of function '${fn}' was ended because its task '${task}' did not stop in time; tasks that can take long should heed their signal`,
        { function: fn, task },
      ),
    )
  }

  timeoutOf(deployment: Deployment, task: string): number {
    return deployment.task(task)?.timeoutMs ?? this.options.timeoutMs
  }

  /** Longest that anything in the function may take after a reply, with some air for its own limit to act first. */
  #longestMs(pool: Pool): number {
    let longest = 0
    for (const task of pool.artifact.tasks) longest = Math.max(longest, this.timeoutOf(pool.deployment, task))
    return longest + 2 * GRACE_MS
  }

  // — sandboxes —

  #start(pool: Pool, ahead: boolean): void {
    const { deployment, artifact, spec } = pool
    const id = `${this.#name}-${++this.#sandboxes}`
    const sandbox = new Sandbox(id, pool, this)
    sandbox.ahead = ahead
    const info: SandboxInfo & { objects: string } = {
      objects: this.options.objects,
      setup: deployment.id,
      sandbox: id,
      memory: spec.memory,
      cores: Math.max(1, Math.ceil(spec.memory / mbPerCore)),
      sampleCpuEvery: this.options.sampleCpuEvery,
      timeoutMs: this.options.timeoutMs,
      dev: this.options.dev,
    }
    this.#live.set(id, sandbox)
    this.scheduler.added(sandbox)
    sandbox.host = this.ports.startHost(
      { file: artifact.file, env: deployment.build.env, info },
      {
        message: (head, parts) => sandbox.receive(head, parts),
        output: (stream, line) => sandbox.output(stream, line),
        exit: (exit) => this.ended(sandbox, exit),
      },
    )
  }

  #failedToStart(sandbox: Sandbox, exit: Exit): void {
    const { pool } = sandbox
    const failures = (pool.broken?.failures ?? 0) + 1
    const error = wireText(startError(sandbox, exit))
    const until = Date.now() + Math.min(MAX_BACK_OFF_MS, BACK_OFF_MS * 2 ** (failures - 1))
    pool.broken = { failures, until, error }
    if (pool.sandboxes.size - pool.starting > 0) return
    refuse(pool.takeAll(), error)
  }

  #endIdle(): void {
    const oldest = Date.now() - this.options.keepAliveMs
    for (const sandbox of this.#live.values()) {
      if (sandbox.state !== 'ready' || sandbox.jobs.size > 0 || sandbox.idleSince >= oldest) continue
      this.#dismiss(sandbox)
    }
  }

  /** Ends a sandbox in which nothing runs; one that is lent says first what it has not told. */
  #dismiss(sandbox: Sandbox): void {
    if (sandbox.lentTo) this.#links.revoke(sandbox)
    else this.scheduler.evict(sandbox)
  }
}

/** What runs is a send that was not accepted. */
const nobodys = { session: '', task: '', trace: '', parent: '' }

/** Emulated ms of a hand-over that leaves the sandbox. */
function handOverMs(mode: 'call' | 'send', sandbox: Sandbox, { parent }: Leaving): number {
  const { deployment, spec } = sandbox.pool
  return deployment.emulation?.handOverMs(mode, spec.memory, sandbox, spanOf(parent).root) ?? 0
}

/** Emulates how the input leaves; `then` is called when the sandbox has done its part. */
function pass({ id, pool }: Sandbox, { task, parent, input }: Leaving, then: (transfer: Transfer) => void): void {
  const from = `${id} ${spanOf(parent).root} ${task}`
  const how = pool.passing?.get(task) as PassedBy
  pool.deployment.passing?.leave(how, from, bytesIn(input), pool.spec.memory, then)
}

function refuse(jobs: readonly Job[], error: string): void {
  for (const job of jobs) {
    job.answer(false, error)
    job.finish()
  }
}

/** The number of a call over a link in its caller. */
function callOf(job: Job): number {
  const no = String(job.no)
  return Number(no.slice(no.lastIndexOf(':') + 1))
}
