import type { BucketDefinition } from 'fusionize/buckets'
import type { HeldSend } from 'fusionize/runtime'
import type { ChangingTable, Update } from '../../src/runtime/buckets/changing-table.js'
import type { Buckets, From, Run, TimeMessage } from '../../src/runtime/buckets/index.js'
import { put, World } from './world.js'

/** What a task of the test does. */
export interface Script {
  puts: { bucket: string; key: string; value: number }[]
  /** Sent to another task. */
  sends: Script[]
  /** Called: each by another sandbox. */
  calls?: Script[]
}

/** What goes wrong, in 1 of so many requests; 0 = never. */
export interface Faults {
  crash: number
  /** A change is made, and its sender hears that it is not as it must be: the answer to the first of two requests was lost. */
  lost: number
  /** The service says no, having done it or not. */
  error: number
  /** An event is delivered twice. */
  twice: number
}

interface Job extends Run {
  from: From
  script: Script
  attempt: number
}

/**
 * Many sandboxes on one table, one request at a time, in an order that the seed chooses; some die between two requests. Lambda runs
 * again what died, and the sweep comes when nothing else is to do.
 */
export class Interleaved {
  readonly world: World
  /** Refused for good. `sent`: to a run that Lambda holds. */
  readonly refused: { put: string; code: string; sent: boolean }[] = []
  /** How often something went wrong. */
  readonly counts = { crashes: 0, conflicts: 0 }
  /** Puts that were acknowledged. */
  readonly taken = new Set<string>()
  /** Roots that died: their callers know. */
  readonly lost = new Set<string>()
  readonly #random: () => number
  readonly #waiting: (() => void)[] = []
  readonly #jobs: Job[] = []
  readonly #messages: { message: TimeMessage; atMs: number }[] = []
  #running = 0
  #calm = false

  constructor(
    definitions: readonly BucketDefinition[],
    seed: number,
    readonly faults: Faults,
  ) {
    this.world = new World(definitions)
    this.#random = mulberry(seed)
  }

  /** @param sent Lambda holds it, and may deliver it twice */
  begin(session: string, script: Script, sent: boolean): void {
    this.#push({ id: `r-${session}`, session, from: { kind: 'root', sent }, script, attempt: 1 })
  }

  #push(job: Job): void {
    this.#jobs.push(job)
    if (isSent(job) && this.#one(this.faults.twice)) this.#jobs.push({ ...job })
  }

  /** Until nothing is to do, and the sweep finds nothing. */
  async run(): Promise<void> {
    for (let rounds = 0; rounds < 40; rounds++) {
      // In the end nothing goes wrong any more.
      this.#calm = rounds > 12
      await this.#drain()
      const due = this.#messages.splice(0)
      if (due.length === 0 && this.#isOver()) return
      this.world.now = Math.max(this.world.now + (due.length > 0 ? 0 : 2 * 3_600_000), ...due.map(({ atMs }) => atMs))
      for (const { message } of due) void this.#tell(message)
      if (due.length === 0) void this.#sweep()
      await this.#drain()
    }
    throw new Error(`it does not come to an end: ${this.#left()}`)
  }

  #left(): string {
    const items = [...this.world.table.items.values()].filter(
      ({ pk, closed }) => !String(pk).startsWith('bucket#') && closed === undefined,
    )
    return [...items.map((item) => JSON.stringify(item)), ...this.world.logs.slice(-5)].join('\n')
  }

  #isOver(): boolean {
    for (const item of this.world.table.items.values()) {
      const { pk } = item
      if (String(pk).startsWith('session#') && item.closed === undefined) return false
      if (Object.keys(item).some((name) => name.startsWith('f:') || name.startsWith('o:'))) return false
    }
    return true
  }

  async #drain(): Promise<void> {
    for (let steps = 0; ; steps++) {
      if (steps > 50_000) throw new Error('it goes round in circles')
      await new Promise((resolve) => setImmediate(resolve))
      for (const send of this.world.handed.splice(0)) this.#deliver(send)
      const choices = this.#waiting.length + (this.#running < 6 ? this.#jobs.length : 0)
      if (choices === 0) return
      const at = Math.floor(this.#random() * choices)
      if (at < this.#waiting.length) this.#waiting.splice(at, 1)[0]?.()
      else this.#start(this.#jobs.splice(at - this.#waiting.length, 1)[0] as Job)
    }
  }

  readonly delivered: HeldSend[] = []

  #deliver(send: HeldSend): void {
    this.delivered.push(send)
    const from: From = send.id === send.session ? { kind: 'root', sent: true } : { kind: 'send' }
    // What is started by a trigger puts in turn, but for what that starts.
    const own = send.task === 'last' ? [] : [{ bucket: 'log', key: send.id, value: 1 }]
    const script = { puts: own, sends: [] }
    this.#push({ id: send.id, session: send.session, input: send.input, from, script, attempt: 1 })
  }

  #start(job: Job): void {
    let dead = false
    const over = () => {
      if (dead) return
      dead = true
      this.#running--
    }
    this.#running++
    const sandbox = this.#sandbox(() => {
      over()
      this.#again(job)
    })
    void this.#work(sandbox, job).then(
      () => over(),
      () => {
        over()
        this.#again(job)
      },
    )
  }

  /** Lambda tries an event again, but nobody tries a call again. */
  #again(job: Job): void {
    if (isSent(job)) this.#jobs.push({ ...job, attempt: job.attempt + 1 })
    else this.lost.add(job.session)
  }

  /** @returns whether the session's root is counted */
  async #work(sandbox: Buckets, job: Job): Promise<boolean> {
    const { session, id, script } = job
    const isOver = async () => isSent(job) && (await sandbox.isOver(job, job.from))
    if (await isOver()) {
      await sandbox.over(job)
      return true
    }
    sandbox.enter(job, job.from)
    let failed: unknown
    const refused: { put: string; code: string; sent: boolean }[] = []
    await Promise.all([
      ...script.puts.map(async ({ bucket, key, value }, i) => {
        const putId = `${id}/${key}#${i}`
        const outcome = await sandbox.ask(put(bucket, session, key, value, putId))
        if (outcome.ok) this.taken.add(`${bucket}\n${putId}`)
        else if (outcome.error.code === 'JOURNAL_FAILED') failed = outcome
        else refused.push({ put: `${bucket}\n${putId}`, code: String(outcome.error.code), sent: isKnown(job) })
      }),
      ...(script.calls ?? []).map(async (child, i) => {
        if (!(await this.#call(sandbox, job, child, i))) failed = 'call'
      }),
      ...script.sends.map(async (child, i) => {
        const childId = `${id}.${i}`
        await sandbox.sessions.sends(session, childId)
        this.#push({ id: childId, session, from: { kind: 'send' }, script: child, attempt: 1 })
      }),
    ])
    const closed = refused.some(({ code }) => code === 'SESSION_CLOSED')
    // What fails is over if another delivery of it is.
    const known = (failed || closed) && (await isOver())
    if (!known) this.refused.push(...refused)
    if (failed && !known && (job.from.kind !== 'root' || isSent(job))) {
      await sandbox.leave(job)
      throw failed
    }
    const counted = sandbox.sessions.isCounted(session)
    await sandbox.over(job)
    return counted
  }

  /** @returns whether the callee answered */
  #call(caller: Buckets, { id, session }: Job, script: Script, i: number): Promise<boolean> {
    const root = caller.sessions.uncounted(session)
    const job: Job = { id: `${id}.c${i}`, session, from: { kind: 'call', root }, script, attempt: 1 }
    return new Promise((resolve) => {
      const over = (ok: boolean, counted: boolean) => {
        if (counted) caller.sessions.wasCounted(session)
        resolve(ok)
      }
      const callee = this.#sandbox(() => over(false, true))
      this.#work(callee, job).then(
        (counted) => over(true, counted),
        () => over(false, true),
      )
    })
  }

  async #tell(message: TimeMessage): Promise<void> {
    this.#running++
    const end = () => void this.#running--
    await this.#sandbox(() => {
      end()
      this.#messages.push({ message, atMs: this.world.now + 60_000 })
    })
      .time(message)
      .then(end, () => {
        end()
        this.#messages.push({ message, atMs: this.world.now + 60_000 })
      })
  }

  async #sweep(): Promise<void> {
    this.#running++
    const end = () => void this.#running--
    await this.#sandbox(end).sweep().then(end, end)
  }

  #one(of: number): boolean {
    return of > 0 && !this.#calm && this.#random() < 1 / of
  }

  /** @param died called once, when it does */
  #sandbox(died: () => void): Buckets {
    const { world, faults } = this
    let dead = false
    const forever = new Promise<never>(() => {})
    /** A request, in its turn; the sandbox may die before it, or before it hears of it. */
    const ask = async <T>(act: () => Promise<T>): Promise<T> => {
      if (dead) return forever
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
      if (dead) return forever
      const before = this.#one(faults.crash * 2)
      const done = before ? undefined : await act()
      if (before || this.#one(faults.crash * 2)) {
        this.counts.crashes++
        if (!dead) died()
        dead = true
        return forever
      }
      return done as T
    }
    const refuse = () => Object.assign(new Error('the table says no'), { code: 'JOURNAL_FAILED' })
    const { table } = world
    const own: ChangingTable = {
      put: (item) => ask(() => table.put(item)),
      get: (pk, sk) => ask(() => table.get(pk, sk)),
      remove: (pk, sk) => ask(() => table.remove(pk, sk)),
      before: (pk, sk) => ask(() => table.before(pk, sk)),
      update: (update: Update) =>
        ask(async () => {
          if (this.#one(faults.error * 2)) throw refuse()
          const answer = await table.update(update)
          if (!answer.done) this.counts.conflicts++
          if (this.#one(faults.error * 2)) throw refuse()
          return this.#one(faults.lost) ? table.update(update) : answer
        }),
    }
    return world.sandbox({
      table: own,
      random: this.#random,
      pause: () => ask(async () => world.pass(1)),
      handOn: (send) => ask(async () => void world.handed.push(send)),
      later: (message, delayS) =>
        ask(async () => void this.#messages.push({ message, atMs: world.now + delayS * 1000 })),
    })
  }
}

/** Whether a run that Lambda holds is known when it comes again: what a call sends when its session has ended may be new. */
function isKnown(job: Job): boolean {
  return isSent(job) && !job.id.includes('.c')
}

function isSent({ from }: Job): boolean {
  return from.kind === 'send' || (from.kind === 'root' && from.sent)
}

/** A small generator of random numbers, 0…1, from a seed. */
function mulberry(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
