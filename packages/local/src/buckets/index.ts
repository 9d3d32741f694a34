import type { BucketStatus } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import {
  type BucketDefinition,
  type Deliverable,
  encodeDelivery,
  isClosed,
  isRef,
  type ObjectRef,
  refsIn,
  sizeOf,
} from 'fusionize/buckets'
import type { Payload } from 'fusionize/runtime'
import type { BucketHead, Sandbox } from '../engine/sandbox.js'
import type { Send } from '../send.js'
import type { BucketChange, BucketEvent, ChangeEvent, PutChange } from './events.js'
import { Expectations } from './expectations.js'
import type { LargeObjects } from './large.js'
import type { NodeShard } from './node-shard.js'
import { Sessions } from './sessions.js'
import { Shards } from './shards.js'

export interface BucketPorts {
  /** Keeps the events as safely as accepted sends; resolves at once when nothing is to be written. */
  append(events: BucketEvent[]): Promise<void>
  /** Keeps firings, and has them run. */
  accept(firings: Send[]): Promise<unknown>
  /** Whether a firing of this id was accepted. */
  isAccepted(id: string): boolean
  /** Nobody needs what a run of the session does. */
  cancel(session: string, run: string): void
  /** Whether anything of the session is under way. */
  isOpen(session: string): boolean
  findSend(session: string, task: string): Send | undefined
  again(send: Send): void
  bury(send: Send, error: FusionizeError): void
  /** Runs the request that the session began with again, under this name. @returns false when it is not known any more */
  restart(session: string, as: string): boolean
  large: LargeObjects
  log(level: 'info' | 'warn' | 'error', session: string, message: string): void
  /** Setup of what belongs to no session that is under way. */
  currentSetup(): string
  now(): number
}

/** A session as its buckets on the node show it; what a sandbox evaluates itself is known when the session is given back. */
export interface SessionState {
  ended: boolean
  /** Sandbox that evaluates the session's fused buckets. */
  leasedTo: string | null
  /** Bucket that its entry waits for. */
  awaits: string | null
  expected: { bucket: string; key: string; from: string; attempt: number }[]
  /** `heldBy`: how many triggers hold the object. */
  buckets: Record<
    string,
    {
      objects: { key: string; seq: number; bytes: number; heldBy: number }[]
      triggers: { kind: string; task: string; fired: number; state: unknown }[]
    }
  >
}

type Answer = (error: unknown, output?: Payload) => void

/**
 * The buckets of a node: what sandboxes and the platform ask of them.
 *
 * A session's fused buckets are leased to the sandbox of an invocation that is all there is of the session. What the sandbox does with
 * them it tells afterwards (`mirror`), before anything is answered that rests on it, so that the node can go on when it dies. Before
 * somebody else's put counts, the lease is taken back.
 */
export class Buckets {
  readonly #sessions = new Sessions()
  readonly #shards: Shards
  readonly expectations: Expectations

  constructor(
    readonly ports: BucketPorts,
    dev: boolean,
  ) {
    const { append, accept, isAccepted, log, currentSetup, now, findSend, again, bury, large } = ports
    this.#shards = new Shards(
      {
        append,
        accept,
        isAccepted,
        log,
        currentSetup,
        now,
        cancel: (bucket, session, source) => ports.cancel(session, this.#sessions.sourceOver(session, bucket, source)),
        touched: (bucket, session) => void this.#sessions.of(session).touched.add(bucket),
        put: (bucket, change, kept) => this.#isPut(bucket, change, kept),
      },
      large,
      dev,
    )
    this.expectations = new Expectations({
      append: (event) => append([event]),
      hold: ({ input }) => large.renewed(input),
      drop: ({ input }) => large.finished(input),
      findSend,
      again,
      bury,
      log,
      restart: (session) => this.#restart(session),
      quiet: (session) => {
        if (!ports.isOpen(session)) this.quiet(session)
      },
    })
  }

  /** Takes the buckets of a deployment. @throws {FusionizeError} `INVALID_CONFIG` when a bucket with objects has other triggers now */
  define(definitions: readonly BucketDefinition[]): void {
    this.#shards.define(definitions)
  }

  // — what the journal has —

  /** An event of an earlier run. */
  apply(event: BucketEvent | { type: 'snapshot' } | { type: string }): void {
    if (event.type === 'snapshot') {
      this.#shards.forgetReplayed()
      this.expectations.forgetReplayed()
    } else if (event.type === 'owed') this.#shards.replayOwed(event as BucketEvent & { type: 'owed' })
    else if (event.type === 'over') this.#shards.replayOver((event as BucketEvent & { type: 'over' }).ids)
    else if (event.type === 'expect') this.expectations.replay(event as BucketEvent & { type: 'expect' })
    else if (event.type === 'bucket') {
      const { bucket, change } = event as ChangeEvent
      this.#shards.replay(bucket, change)
      if (change.op === 'put') this.expectations.kept(change.session, bucket, change.key)
    }
  }

  *snapshot(): Generator<BucketEvent> {
    yield* this.#shards.snapshot()
    yield* this.expectations.snapshot()
  }

  /** Names of the large objects that are live, one for each reference. */
  *refs(): Generator<string> {
    yield* this.#shards.refs()
    for (const { input } of this.expectations.sends()) for (const { ref } of refsIn(input)) yield ref
  }

  /** What an earlier run of the platform accepted is under way again: all other sessions with objects are over. */
  recovered(): void {
    this.expectations.begin()
    for (const session of this.#sessions.names()) if (!this.ports.isOpen(session)) this.quiet(session)
  }

  // — sessions —

  /** Whether the session has ended, be it in an earlier run of the platform: it puts nothing more. */
  isOver(session: string): boolean {
    return (
      this.#sessions.isClosed(session) ||
      [...this.#shards.all()].some(({ shard }) => isClosed(shard.state.closed, session))
    )
  }

  /**
   * Leases the session to the sandbox if it may have it.
   * @param alone nothing else of the session is under way
   */
  lease(sandbox: Sandbox, session: string, alone: boolean): boolean {
    return alone && sandbox.pool.fused.size > 0 && this.#sessions.lease(sandbox, session)
  }

  /** Nothing of the session runs, is queued, or waits for a retry. */
  quiet(session: string): void {
    const known = this.#sessions.get(session)
    if (known === undefined || known.lessee || this.expectations.has(session)) return
    if (known.over) {
      this.#followEnd(session, known.touched)
      return
    }
    const flushing = [...known.touched].filter((name) => this.#shards.find(name)?.flushes)
    // All fire what they have before one is closed: what that starts may put into the others.
    const quiet = flushing.length === 0 || this.#endIn(flushing, { op: 'end', session, flushOnly: true })
    if (quiet && this.#endIn([...known.touched], { op: 'end', session })) this.#close(session)
  }

  /** A sandbox ended the session: what the node knows of it ends the same way. */
  #followEnd(session: string, touched: ReadonlySet<string>): void {
    const events = [...touched].flatMap((name) => {
      const shard = this.#shards.find(name)
      if (shard === undefined) return []
      // What this makes fire has fired there.
      const flushed = shard.flushes ? [this.#shards.mirror(shard, { op: 'end', session, flushOnly: true })] : []
      return [...flushed, this.#shards.mirror(shard, { op: 'end', session })]
    })
    this.ports
      .append(events)
      .catch((error: unknown) => this.ports.log('error', session, `its end is not in the journal: ${String(error)}`))
    this.#close(session)
  }

  /** @returns whether it made no work in any of the buckets */
  #endIn(buckets: readonly string[], change: BucketChange & { op: 'end' }): boolean {
    const ended = buckets.map((name) => this.#shards.happens(name, change)?.ended ?? true)
    return ended.every((over) => over)
  }

  #close(session: string): void {
    this.expectations.ended(session)
    this.#shards.owed.ended(session)
    this.#sessions.close(session)
  }

  /** The sandbox is gone, and its leases with it. */
  gone(sandbox: Sandbox): void {
    this.ports.large.gone(sandbox.id)
    this.#sessions.gone(sandbox)
  }

  /** Calls back with the session's first object in the bucket, or with its end: an error when the object could not be kept. */
  await(
    session: string,
    bucket: string,
    settle: (value: Payload) => void,
    ended: (error?: unknown) => void,
  ): () => void {
    return this.#sessions.await(session, { bucket, settle, ended })
  }

  /**
   * The session's first object in the bucket that answers for its entry, put where the bucket is fused.
   * @param kept when what the sandbox did before is kept
   */
  outcome(session: string, value: Payload, kept: Promise<void> | undefined): void {
    this.#sessions.answer(session, value, kept)
  }

  /** The session is run again as another, which answers for it. */
  #restart(session: string): boolean {
    const again = `${session}+`
    this.expectations.reran(session, again)
    if (!this.ports.restart(session, again)) return false
    this.#sessions.passOn(session, again)
    return true
  }

  /** The platform has these sends. */
  accepted(sends: readonly Send[]): void {
    for (const { session, id } of sends) this.#shards.owed.settled(session, id)
  }

  // — what sandboxes say —

  /** An operation on a bucket; `answer` is called once. */
  op(sandbox: Sandbox, op: BucketHead, given: Deliverable, answer: Answer): void {
    const { session } = op
    const lessee = this.#sessions.get(session)?.lessee
    if (lessee && lessee !== sandbox && (op.op === 'promise' || lessee.pool.fused.has(op.bucket))) {
      this.#sessions.recall(session, () => this.op(sandbox, op, given, answer))
      return
    }
    refusing(answer, () => {
      const { value, held } = this.ports.large.intern(given)
      if (held === undefined) this.#op(sandbox, op, value, answer)
      else this.#op(sandbox, op, value, (error, output) => held.then(() => answer(error, output), answer))
    })
  }

  #op(sandbox: Sandbox, op: BucketHead, value: Deliverable, answer: Answer): void {
    const { bucket, session } = op
    const shard = this.#shards.get(bucket)
    const setup = sandbox.pool.deployment.id
    const apply = (change: BucketChange) => this.#shards.apply(shard, change, { ...this.#shards.newCause(), setup })
    const done = (kept: Promise<void>) => kept.then(() => answer(undefined), answer)
    switch (op.op) {
      case 'get':
        answer(undefined, this.#readable(shard, op.key, session))
        return
      case 'put':
        this.#put(shard, op, value, setup, answer)
        return
      case 'declare': {
        this.#refuseClosed(bucket, session)
        const { id, keys, sources } = op
        void done(apply({ op: 'declare', session, id, ...(keys && { keys }), ...(sources && { sources }) }))
        return
      }
      case 'source':
        if (!this.#sessions.isClosed(session) && !this.#sessions.nameSource(session, bucket, op.source, op.invocation))
          this.ports.cancel(session, op.invocation)
        answer(undefined)
        return
      case 'sourceDone':
      case 'sourceFailed':
        void done(apply({ op: op.op, session, source: op.source }))
        return
      case 'promise': {
        const { key, from, withinMs, attempts, rerun } = op
        const there = shard.shard.get(session, key) !== undefined
        const expected = { bucket, key, from, withinMs, attempts, rerun }
        void done(there ? Promise.resolve() : this.expectations.expect(session, expected))
      }
    }
  }

  #put(shard: NodeShard, op: BucketHead & { op: 'put' }, value: Deliverable, setup: string, answer: Answer): void {
    const { bucket, session, key, id, group, source, trace, parent, at } = op
    const { large, now } = this.ports
    if (this.#sessions.isClosed(session)) large.release(value)
    this.#refuseClosed(bucket, session)
    const compared = () => refusing(answer, () => this.#put(shard, op, value, setup, answer))
    if (this.#shards.mustRead(shard, key, session, value, compared)) return
    const change = { op: 'put', session, key, id, source, atMs: now(), value } as const
    const kept = this.#shards.apply(
      shard,
      { ...change, ...(group !== undefined && { group }) },
      { setup, trace, parent, at },
    )
    // Whoever puts faster than there is room waits; what was put counts already.
    Promise.all([kept, large.store.room(1, 'charge')]).then(() => answer(undefined), answer)
  }

  /** An object was put on the node. */
  #isPut(bucket: string, { session, key, value }: PutChange, kept: Promise<void>): void {
    this.expectations.kept(session, bucket, key)
    if (this.#sessions.get(session)?.awaited?.bucket === bucket)
      this.#sessions.answer(session, isRef(value) ? this.#read(value) : value, kept)
  }

  async #read(value: ObjectRef): Promise<Payload> {
    const bytes = await this.ports.large.store.read(value.ref)
    return value.json ? Buffer.from(bytes).toString() : bytes
  }

  /** A live object as an answer: what is too large for a message is named, as in a delivery. */
  #readable(shard: NodeShard, key: string, session: string): Payload {
    const value = shard.shard.get(session, key)
    if (!isRef(value)) return value
    const fired = { bucket: shard.name, trigger: 0, id: '', objects: 1, bytes: value.bytes }
    return encodeDelivery({ fired, at: 0, one: true, keys: false }, [{ key, session }], [value])
  }

  #refuseClosed(bucket: string, session: string): void {
    if (!this.#sessions.isClosed(session)) return
    throw new FusionizeError(
      'SESSION_CLOSED',
      `bucket '${bucket}', session '${session}': the session has ended; await every put before the task returns`,
      { bucket, session },
    )
  }

  /** What a sandbox did with buckets that it evaluates itself: the firings are its own affair, as long as it lives to say what became of them. */
  mirror(
    sandbox: Sandbox,
    session: string,
    ops: BucketHead[],
    given: Deliverable[],
    ended: 'no' | 'lease' | 'session',
    /** Ids of firings that are done in the sandbox. */
    over: readonly string[] = [],
  ): Promise<void> | undefined {
    if (this.#sessions.get(session)?.lessee !== sandbox) return undefined
    const interned = given.map((value) => this.ports.large.intern(value))
    const held = interned.flatMap((one) => one.held ?? [])
    const values = interned.map(({ value }) => value)
    const written = this.#mirror(session, ops, values, ended, over)
    return held.length === 0 ? written : Promise.all([written, ...held]).then(() => {})
  }

  #mirror(
    session: string,
    ops: BucketHead[],
    values: Deliverable[],
    ended: 'no' | 'lease' | 'session',
    over: readonly string[],
  ): Promise<void> | undefined {
    const known = this.#sessions.of(session)
    const { touched } = known
    const events: BucketEvent[] = []
    for (const [i, op] of ops.entries()) {
      const shard = this.#shards.find(op.bucket)
      if (shard === undefined || op.op === 'get' || op.op === 'source' || op.op === 'promise') continue
      const change = changeOf(op, values[i], this.ports.now())
      events.push(this.#shards.mirror(shard, change))
      if (change.op === 'put') this.expectations.kept(session, op.bucket, change.key)
      touched.add(op.bucket)
    }
    if (over.length > 0) events.push(this.#shards.over(session, over))
    const written = events.length > 0 ? this.ports.append(events) : undefined
    if (ended === 'no') return written
    known.over = ended === 'session'
    this.#sessions.returned(session)
    if (known.over && touched.size === 0) this.#close(session)
    else if (!this.ports.isOpen(session)) this.quiet(session)
    return written
  }

  // — the whole —

  /** What the node knows of a session; undefined when that is nothing. */
  inspect(session: string): SessionState | undefined {
    const known = this.#sessions.get(session)
    const ended = this.#sessions.isClosed(session)
    const buckets: SessionState['buckets'] = {}
    for (const shard of this.#shards.all()) {
      const state = shard.shard.state.sessions.get(session)
      if (state === undefined) continue
      const objects = [...state.live].map(([key, { seq, holds }]) => {
        const value = shard.shard.get(session, key)
        return { key, seq, bytes: sizeOf(value), heldBy: holds }
      })
      const triggers = shard.definition.triggers.map(({ spec, task }, i) => ({
        kind: spec.kind,
        task: task.name,
        fired: state.fired[i] ?? 0,
        state: JSON.parse(JSON.stringify(state.states[i] ?? null)) as unknown,
      }))
      buckets[shard.name] = { objects, triggers }
    }
    const expected = this.expectations.of(session)
    if (known === undefined && !ended && expected.length === 0 && Object.keys(buckets).length === 0) return undefined
    return { ended, leasedTo: known?.lessee?.id ?? null, awaits: known?.awaited?.bucket ?? null, expected, buckets }
  }

  status(): BucketStatus[] {
    return this.#shards.status()
  }

  /** Fires what waits in queues that say `flush`: no more objects come. @returns how many firings, when they are kept */
  flush(): Promise<number> {
    return this.#shards.flush()
  }

  close(): void {
    this.#shards.close()
    this.expectations.close()
  }
}

function refusing(answer: Answer, attempt: () => void): void {
  try {
    attempt()
  } catch (error) {
    answer(error)
  }
}

function changeOf(
  op: BucketHead & { op: 'put' | 'declare' | 'sourceDone' | 'sourceFailed' },
  value: Deliverable,
  nowMs: number,
) {
  const { bucket: _, ...rest } = op
  if (rest.op !== 'put') return rest as BucketChange
  const { at: _at, trace: _trace, parent: _parent, ref: _ref, ...put } = rest as typeof rest & { ref?: unknown }
  return { ...put, atMs: nowMs, value } as BucketChange
}
