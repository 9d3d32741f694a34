import { type BucketDefinition, bucketOf, isRef } from 'fusionize/buckets'
import { type BucketOp, errorToWire, type HeldSend, type Outcome, type Payload } from 'fusionize/runtime'
import type { Item } from '../attributes.js'
import type { Table } from '../table.js'
import { ANSWER, AWAITED, answering, awaitAnswer, PASSED_ON } from './answers.js'
import type { Cause, Change, PutChange } from './changes.js'
import { changing } from './changing-table.js'
import { Deliveries } from './deliveries.js'
import { Expectations } from './expectations.js'
import { closedError } from './failures.js'
import { isShared } from './firings.js'
import { handOver } from './hand-over.js'
import { expectedName } from './items.js'
import { noted } from './noted.js'
import { Objects } from './objects.js'
import { Outboxes } from './outbox.js'
import { type BucketPorts, COMMIT_MS, type TimeMessage } from './ports.js'
import { readable } from './readable.js'
import { seenTable } from './seen-table.js'
import { SessionEnd } from './session-end.js'
import { type From, type Run, Sessions } from './sessions.js'
import { Slots } from './slots.js'
import { Sources } from './sources.js'
import { Sweep } from './sweep.js'
import { tellAt } from './timer.js'

export type { BucketPorts, TimeMessage } from './ports.js'
export type { From, Root, Run } from './sessions.js'

/** Makes the buckets of an app; the build gives it to the adapter (`FunctionModule.evaluator`). */
export type Evaluator = (ports: Omit<BucketPorts, 'definitions' | 'table'> & { table: Table }) => Buckets

/** What the build calls with all buckets of the app. */
export function evaluate(buckets: readonly unknown[]): Evaluator {
  const definitions = buckets.flatMap((one) => bucketOf(one) ?? [])
  return (ports) => new Buckets({ ...ports, table: changing(ports.table), definitions })
}

/** The buckets of the app, in the app's table: any function evaluates any of them. */
export class Buckets {
  readonly sessions: Sessions
  readonly objects: Objects
  readonly #outboxes: Outboxes
  readonly #slots: Slots
  readonly #deliveries: Deliveries
  readonly #end: SessionEnd
  readonly #expectations: Expectations
  readonly #sweep: Sweep

  readonly #sources: Sources
  readonly ports: BucketPorts

  constructor(given: BucketPorts) {
    this.#sources = new Sources(given)
    const table = seenTable(given.table, (session, item) => this.#sources.saw(session, item))
    const ports = { ...given, table }
    this.ports = ports
    const handOn = async (send: HeldSend, attempt?: number) => {
      if (!(await handOver(ports, send, attempt))) await this.sessions.over(send)
    }
    this.objects = new Objects(ports.store, ports.now)
    this.#outboxes = new Outboxes(ports, {
      count: (session, ids, instead) => this.sessions.count(session, ids, instead),
      handOver: handOn,
      look: (session, item) => this.sessions.look(session, item),
    })
    this.#end = new SessionEnd(ports, {
      outboxes: this.#outboxes,
      endIn: async (bucket, change) => (await this.#slots.of(bucket, undefined).change(change, this.#cause())).ended,
      kept: [AWAITED, ANSWER, PASSED_ON],
    })
    this.sessions = new Sessions(ports, (session, item) => this.#end.run(session, item))
    this.#slots = new Slots(ports, {
      sessions: this.sessions,
      outboxes: this.#outboxes,
      objects: this.objects,
      arm: (bucket, session, at) =>
        tellAt(ports, { fusionize: 'time', at, bucket, ...(session !== undefined && { session }) }),
      noted,
      sent: (session, item, sends) => this.sent(session, item, sends),
    })
    this.#deliveries = new Deliveries(ports, (bucket, session) => this.#slots.of(bucket, session))
    this.#expectations = new Expectations(ports, {
      sessions: this.sessions,
      keep: async (op, by, session, bucket, refs) =>
        void (await this.#slots.of(bucket, session).change({ op, by, refs }, this.#cause())),
      handOver: handOn,
    })
    this.#sweep = new Sweep(ports, {
      sessions: this.sessions,
      outboxes: this.#outboxes,
      expectations: this.#expectations,
      time: (bucket, session) => this.#time(bucket, session),
    })
  }

  /** What a task asks of a bucket. */
  async ask(op: BucketOp): Promise<Outcome> {
    try {
      return { ok: true, output: await this.#op(op) }
    } catch (error) {
      return { ok: false, error: errorToWire(error) }
    }
  }

  /** The time that somebody wanted to be told of. */
  async time(message: TimeMessage): Promise<void> {
    const { at, bucket, session, expects } = message
    if (this.ports.now() < at) return tellAt(this.ports, message)
    if (session !== undefined && expects !== undefined) await this.#expectations.due(session, bucket, expects)
    else await this.#time(bucket, session)
  }

  async #time(bucket: string, session: string | undefined): Promise<void> {
    const time = { op: 'time', nowMs: this.ports.now() } as const
    await this.#slots
      .of(bucket, session)
      .change(time, this.#cause())
      .catch((error: unknown) => {
        // It has ended meanwhile.
        if ((error as { code?: unknown }).code !== 'SESSION_CLOSED') throw error
      })
    await this.settled()
    if (session !== undefined) await this.sessions.look(session)
  }

  /** A run begins here; `over` or `leave` must follow. @param from how its session knows of it */
  enter(run: Run, from: From): void {
    this.sessions.enter(run, from)
  }

  /** It has ended here, and runs again elsewhere. */
  async leave(run: Run): Promise<void> {
    await this.settled()
    this.sessions.leave(run)
  }

  /** Whether this is another delivery of a run that is over. */
  async isOver(run: Run, from: From): Promise<boolean> {
    return (await this.sessions.isOver(run, from)) || this.#deliveries.isOver(run)
  }

  /** It is over for good. What fails here is left to the sweep. @param isLetter it has failed, and may be replayed: its objects stay until they expire */
  async over(run: Run, isLetter = false): Promise<void> {
    try {
      await this.settled()
      if (!isLetter) await this.#deliveries.over(run.input)
      await this.sessions.over(run)
      await this.settled()
    } catch (error) {
      this.ports.log('error', run.session, `the end of ${run.id} is not in the table yet: ${(error as Error).message}`)
    }
  }

  /** Everything that was begun here is handed over. */
  settled(): Promise<void> {
    return this.#outboxes.settled()
  }

  /** An entry that answers from a bucket begins. */
  async awaits(session: string, bucket: string): Promise<void> {
    await this.sessions.note(session, { [AWAITED]: bucket })
  }

  /** Waits for what it answers with: else `NO_RESULT` or `TIMEOUT`. @param deadline epoch ms */
  async answer(run: Run & { task: string }, bucket: string, deadline: number): Promise<Outcome> {
    const { session, task } = run
    try {
      return { ok: true, output: await awaitAnswer(this.ports, this.objects, { session, task, bucket, deadline }) }
    } catch (error) {
      return { ok: false, error: errorToWire(error) }
    }
  }

  /** Looks after what dead sandboxes have left. @returns how many firings were handed over */
  async sweep(): Promise<number> {
    const handed = await this.#sweep.run()
    await this.settled()
    return handed
  }

  /** Fires what waits in queues of the application that say `flush`: no more objects come. @returns how many firings */
  async flush(): Promise<number> {
    let fired = 0
    for (const definition of this.ports.definitions.filter(isShared)) {
      const { deliveries } = await this.#slots.of(definition.name, undefined).change({ op: 'flush' }, this.#cause())
      fired += deliveries.length
    }
    await this.settled()
    return fired
  }

  /** Invocations of the session are handed over. @param item of the session, as it is now */
  async sent(session: string, item: Item | undefined, sends: readonly HeldSend[]): Promise<void> {
    for (const send of sends) this.sessions.remember(send)
    await this.#expectations.sent(session, item, sends)
  }

  async #op(op: BucketOp): Promise<Payload> {
    const { bucket, session } = op
    const definition = this.#slots.definition(bucket)
    switch (op.op) {
      case 'get':
        return readable(bucket, session, op.key, await this.#slots.of(bucket, session).get(session, op.key))
      case 'put':
        return this.#put(op)
      case 'declare': {
        const { id, keys, sources } = op
        return this.#change(bucket, { op: 'declare', session, id, ...(keys && { keys }), ...(sources && { sources }) })
      }
      case 'sourceDone':
      case 'sourceFailed':
        this.#sources.ended(session, bucket, op.source)
        return this.#change(bucket, { op: op.op, session, source: op.source })
      case 'source':
        if (cancels(definition)) await this.#sources.began(session, bucket, op.source, op.invocation)
        return undefined
      case 'promise':
        if ((await this.#slots.of(bucket, session).get(session, op.key)) === undefined)
          await this.#expectations.expect(op)
        return undefined
    }
  }

  async #put(op: BucketOp & { op: 'put' }): Promise<undefined> {
    const { bucket, session, key, id, group, source, trace, parent, at } = op
    const { now } = this.ports
    const value = await this.objects.place(bucket, op.value, now() + COMMIT_MS)
    const change = { op: 'put', session, key, id, source, atMs: now(), value } as const
    await this.#change(bucket, { ...change, ...(group !== undefined && { group }) }, { trace, parent, at })
  }

  async #change(bucket: string, change: Change & { session: string }, cause = this.#cause()): Promise<undefined> {
    const { session } = change
    const slot = this.#slots.of(bucket, session)
    if (slot.session === undefined && !(await this.sessions.touch(session, bucket))) throw closedError(bucket, session)
    const { accepted } = await slot.change(change, cause)
    if (accepted && slot.session === undefined && change.op === 'put') await this.#isPut(bucket, change)
  }

  /** An object of a bucket of the application: somebody of its session may wait for it. */
  async #isPut(bucket: string, { session, key, value }: PutChange): Promise<void> {
    const item = await this.sessions.read(session)
    const name = expectedName(bucket, key)
    if (item?.[name] !== undefined) await this.sessions.change(session, { remove: [name] })
    const { set } = answering(item ?? {}, bucket, value)
    if (!set) return
    if (isRef(value)) {
      const needed = { op: 'name', by: 'answer', refs: [value.ref] } as const
      await this.#slots.of(bucket, session).change(needed, this.#cause())
    }
    await this.sessions.note(session, set, [ANSWER])
  }

  #cause(): Cause {
    const { now, newId } = this.ports
    return { trace: newId(), parent: '', at: now() }
  }
}

/** Whether a trigger of the bucket stops sources that it does not need. */
function cancels({ triggers }: BucketDefinition): boolean {
  return triggers.some(({ spec }) => spec.kind === 'redundant' && spec.cancel)
}
