import type { BucketStatus } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import {
  type BucketDefinition,
  closeSession,
  type Deliverable,
  type Delivery,
  encodeDelivery,
  isClosed,
  isRef,
  noClosedSessions,
  type ObjectRef,
  type Stepped,
  type StepResult,
  shapeOf,
} from 'fusionize/buckets'
import type { Payload } from 'fusionize/runtime'
import type { Send } from '../engine/engine.js'
import type { BucketHead, Sandbox } from '../engine/sandbox.js'
import { newId } from '../ids.js'
import type { BucketChange, BucketEvent } from './events.js'
import { Expectations } from './expectations.js'
import type { LargeObjects } from './large.js'
import { NodeShard, sizeOf } from './node-shard.js'
import { BucketSession } from './sessions.js'

export interface BucketPorts {
  /** Keeps the events as safely as accepted sends; resolves at once when nothing is to be written. */
  append(events: BucketEvent[]): Promise<void>
  /** Keeps firings, and has them run. */
  accept(firings: Send[]): Promise<unknown>
  /** Nobody needs what the invocation does. */
  cancel(invocation: string): void
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

/** What a firing's sends carry of the put that completed it. */
interface Cause {
  setup: string
  trace: string
  parent: string
  /** Epoch ms. */
  at: number
}

/**
 * The buckets of a node: the shards that it evaluates for all sandboxes, and which sandboxes evaluate fused buckets for which sessions.
 *
 * A session's fused buckets are leased to the sandbox of an invocation that is all there is of the session. What the sandbox does with
 * them it tells afterwards (`mirror`), before anything is answered that rests on it, so that the node can go on when it dies. Before
 * somebody else's put counts, the lease is taken back.
 */
export class Buckets {
  readonly #shards = new Map<string, NodeShard>()
  readonly #sessions = new Map<string, BucketSession>()
  readonly #closed = noClosedSessions()
  /** Events of a journal for buckets that no deployment has named yet. */
  readonly #early = new Map<string, BucketChange[]>()
  readonly expectations: Expectations
  #timer: { atMs: number; handle: NodeJS.Timeout } | undefined
  #stopped = false
  #defined = false

  constructor(
    readonly ports: BucketPorts,
    readonly dev: boolean,
  ) {
    this.expectations = new Expectations({
      findSend: (session, task) => ports.findSend(session, task),
      again: (send) => ports.again(send),
      bury: (send, error) => ports.bury(send, error),
      log: (level, session, message) => ports.log(level, session, message),
      restart: (session) => this.#restart(session),
      quiet: (session) => {
        if (!ports.isOpen(session)) this.quiet(session)
      },
    })
  }

  /**
   * Takes the buckets of a deployment.
   * @throws {FusionizeError} `INVALID_CONFIG` when a bucket with objects has other triggers now
   */
  define(definitions: readonly BucketDefinition[]): void {
    const next = definitions.map((definition) => {
      const known = this.#shards.get(definition.name)
      const shard = new NodeShard(definition, this.dev)
      const changes = this.#early.get(definition.name) ?? (known ? [...known.snapshot()] : [])
      for (const change of changes) shard.apply(change)
      shard.settle()
      return shard
    })
    for (const shard of next) {
      this.#shards.set(shard.name, shard)
      if (this.#early.delete(shard.name))
        for (const session of shard.shard.state.sessions.keys()) this.#session(session).touched.add(shard.name)
    }
    this.#defined = true
    if (next.length > 0) this.#wake()
  }

  // — what the journal has —

  /** An event of an earlier run. */
  apply(event: BucketEvent | { type: 'snapshot' } | { type: string }): void {
    if (event.type === 'snapshot') this.#early.clear()
    if (event.type !== 'bucket' || this.#defined) return
    const { bucket, change } = event as BucketEvent
    const changes = this.#early.get(bucket)
    if (changes === undefined || change.op === 'state') this.#early.set(bucket, [change])
    else changes.push(change)
  }

  /** Names of the large objects that are live, one for each reference. */
  *refs(): Generator<string> {
    for (const { shard } of this.#shards.values())
      for (const { value } of shard.objects()) if (isRef(value)) yield value.ref
    for (const changes of this.#early.values())
      for (const change of changes) if ('value' in change && isRef(change.value)) yield change.value.ref
  }

  *snapshot(): Generator<BucketEvent> {
    for (const [bucket, changes] of this.#early) for (const change of changes) yield { type: 'bucket', bucket, change }
    for (const [bucket, shard] of this.#shards)
      for (const change of shard.snapshot()) yield { type: 'bucket', bucket, change }
  }

  // — sessions —

  /**
   * Leases the session to the sandbox if it may have it.
   * @param alone nothing else of the session is under way
   */
  lease(sandbox: Sandbox, session: string, alone: boolean): boolean {
    if (!alone || sandbox.pool.fused.size === 0) return false
    const known = this.#sessions.get(session)
    if (known && (known.lessee || known.touched.size > 0)) return false
    this.#session(session).lessee = sandbox
    return true
  }

  /** Nothing of the session runs, is queued, or waits for a retry. */
  quiet(session: string): void {
    const known = this.#sessions.get(session)
    if (known === undefined || known.lessee || this.expectations.has(session)) return
    const flushing = [...known.touched].filter((name) => this.#shards.get(name)?.flushes)
    // All fire what they have before one is closed: what that starts may put into the others.
    const quiet = flushing.length === 0 || this.#endIn(flushing, { op: 'end', session, flushOnly: true })
    if (quiet && this.#endIn([...known.touched], { op: 'end', session })) this.#close(session, known)
  }

  /** @returns whether it made no work in any of the buckets */
  #endIn(buckets: readonly string[], change: BucketChange & { op: 'end' }): boolean {
    const ended = buckets.map((name) => this.#happens(name, change, this.#newCause())?.ended ?? true)
    return ended.every((over) => over)
  }

  /** The sandbox is gone, and its leases with it. */
  gone(sandbox: Sandbox): void {
    this.ports.large.gone(sandbox.id)
    for (const [id, session] of this.#sessions) if (session.lessee === sandbox) this.#returned(id, session)
  }

  /** Calls back with the session's first object in the bucket, or with its end: an error when the object could not be kept. */
  await(
    session: string,
    bucket: string,
    settle: (value: Payload) => void,
    ended: (error?: unknown) => void,
  ): () => void {
    const known = this.#session(session)
    known.awaited = { bucket, settle, ended }
    return () => {
      known.awaited = undefined
      this.#forgetIfIdle(session, known)
    }
  }

  /** The session is run again as another, which answers for it. */
  #restart(session: string): boolean {
    const again = `${session}+`
    this.expectations.reran(session, again)
    if (!this.ports.restart(session, again)) return false
    const known = this.#sessions.get(session)
    if (known?.awaited) this.#session(again).awaited = known.awaited
    if (known) known.awaited = undefined
    return true
  }

  #session(id: string): BucketSession {
    let session = this.#sessions.get(id)
    if (session === undefined) {
      session = new BucketSession()
      this.#sessions.set(id, session)
    }
    return session
  }

  #close(id: string, session: BucketSession): void {
    this.#sessions.delete(id)
    closeSession(this.#closed, id)
    this.expectations.ended(id)
    session.awaited?.ended()
  }

  #returned(id: string, session: BucketSession): void {
    session.lessee = undefined
    const { waiting } = session
    session.waiting = undefined
    for (const go of waiting ?? []) go()
    this.#forgetIfIdle(id, session)
  }

  #forgetIfIdle(id: string, { lessee, touched, awaited, waiting, sources }: BucketSession): void {
    if (!lessee && touched.size === 0 && !awaited && !waiting && !sources) this.#sessions.delete(id)
  }

  // — what sandboxes say —

  /** An operation on a bucket; `answer` is called once. */
  op(sandbox: Sandbox, op: BucketHead, given: Deliverable, answer: (error: unknown, output?: Payload) => void): void {
    const { session } = op
    const lessee = this.#sessions.get(session)?.lessee
    if (lessee && lessee !== sandbox && (op.op === 'promise' || lessee.pool.fused.has(op.bucket))) {
      this.#recall(session, () => this.op(sandbox, op, given, answer))
      return
    }
    try {
      const { value, held } = this.ports.large.intern(given)
      if (held === undefined) this.#op(sandbox, op, value, answer)
      else this.#op(sandbox, op, value, (error, output) => held.then(() => answer(error, output), answer))
    } catch (error) {
      answer(error)
    }
  }

  #op(sandbox: Sandbox, op: BucketHead, value: Deliverable, answer: (error: unknown, output?: Payload) => void): void {
    const { bucket, session } = op
    const shard = this.#shards.get(bucket)
    if (shard === undefined) throw unknownBucket(bucket, [...this.#shards.keys()])
    const setup = sandbox.pool.deployment.id
    const done = (written: Promise<void>) => written.then(() => answer(undefined), answer)
    switch (op.op) {
      case 'get':
        answer(undefined, this.#readable(shard, op.key, session))
        return
      case 'put': {
        if (this.#isClosed(session)) this.ports.large.release(value)
        this.#refuseClosed(bucket, session)
        if (this.#comparesLarge(shard, op.key, session, value, () => this.#op(sandbox, op, value, answer))) return
        const { key, id, group, source, trace, parent, at } = op
        const change = { op: 'put', session, key, id, source, atMs: this.ports.now(), value } as const
        const applied = this.#apply(
          shard,
          { ...change, ...(group !== undefined && { group }) },
          { setup, trace, parent, at },
        )
        // Whoever puts faster than there is room waits; what was put counts already.
        const room = this.ports.large.store.room(1, 'charge')
        void done(room === undefined ? applied : Promise.all([applied, room]).then(() => {}))
        return
      }
      case 'declare': {
        this.#refuseClosed(bucket, session)
        const { id, keys, sources } = op
        const change = { op: 'declare', session, id, ...(keys && { keys }), ...(sources && { sources }) } as const
        void done(this.#apply(shard, change, { ...this.#newCause(), setup }))
        return
      }
      case 'source': {
        const known = this.#session(session)
        known.sources ??= new Map()
        known.sources.set(`${bucket}\n${op.source}`, op.invocation)
        answer(undefined)
        return
      }
      case 'sourceDone':
      case 'sourceFailed': {
        const change = { op: op.op, session, source: op.source } as const
        void done(this.#apply(shard, change, { ...this.#newCause(), setup }))
        return
      }
      case 'promise': {
        const { key, from, withinMs, attempts, rerun } = op
        if (shard.shard.get(session, key) === undefined)
          this.expectations.expect(session, { bucket, key, from, withinMs, attempts, rerun })
        answer(undefined)
      }
    }
  }

  /** What a sandbox did with buckets that it evaluates itself: the firings are its own affair. */
  mirror(
    sandbox: Sandbox,
    session: string,
    ops: BucketHead[],
    given: Deliverable[],
    ended: 'no' | 'lease' | 'session',
  ): Promise<void> | undefined {
    const known = this.#sessions.get(session)
    if (known?.lessee !== sandbox) return undefined
    const interned = given.map((value) => this.ports.large.intern(value))
    const held = interned.flatMap((one) => one.held ?? [])
    const values = interned.map(({ value }) => value)
    const written = this.#mirror(known, session, ops, values, ended)
    return held.length === 0 ? written : Promise.all([written, ...held]).then(() => {})
  }

  #mirror(
    known: BucketSession,
    session: string,
    ops: BucketHead[],
    values: Deliverable[],
    ended: 'no' | 'lease' | 'session',
  ): Promise<void> | undefined {
    const events: BucketEvent[] = []
    for (const [i, op] of ops.entries()) {
      const shard = this.#shards.get(op.bucket)
      if (shard === undefined || op.op === 'get' || op.op === 'source' || op.op === 'promise') continue
      const change = changeOf(op, values[i], this.ports.now())
      this.#change(shard, change)
      if (change.op === 'put') this.expectations.kept(session, op.bucket, change.key)
      known.touched.add(op.bucket)
      events.push({ type: 'bucket', bucket: op.bucket, change })
    }
    if (ended === 'session') {
      for (const bucket of known.touched) {
        const change = { op: 'end', session } as const
        const shard = this.#shards.get(bucket)
        if (shard) this.#change(shard, change)
        events.push({ type: 'bucket', bucket, change })
      }
      known.touched.clear()
    }
    const written = events.length > 0 ? this.ports.append(events) : undefined
    if (ended === 'no') return written
    this.#returned(session, known)
    if (ended === 'session') this.#close(session, known)
    else if (!this.ports.isOpen(session)) this.quiet(session)
    return written
  }

  /**
   * The session's first object in the bucket that answers for its entry, put where the bucket is fused.
   * @param kept when what the sandbox did before is kept
   */
  outcome(session: string, value: Payload, kept: Promise<void> | undefined): void {
    this.#settle(this.#sessions.get(session), value, kept)
  }

  /** The answer acknowledges what it rests on, so it waits until that is kept (Promise 2). */
  #settle(
    session: BucketSession | undefined,
    value: Payload | Promise<Payload>,
    kept: Promise<void> | undefined,
  ): void {
    const awaited = session?.awaited
    if (session === undefined || awaited === undefined) return
    session.awaited = undefined
    Promise.all([value, kept]).then(([output]) => awaited.settle(output), awaited.ended)
  }

  #recall(session: string, then: () => void): void {
    const known = this.#session(session)
    if (known.waiting === undefined) {
      known.waiting = []
      known.lessee?.recall(session)
    }
    known.waiting.push(then)
  }

  // — shards —

  /** Applies a change of the node's own, and has it kept. */
  #happens(bucket: string, change: BucketChange, cause: Cause): StepResult | undefined {
    const shard = this.#shards.get(bucket)
    if (shard === undefined) return undefined
    let result: StepResult | undefined
    this.#apply(shard, change, cause, (stepped) => {
      result = stepped
    }).catch((error: unknown) => this.ports.log('error', '', `bucket '${bucket}': ${String(error)}`))
    return result
  }

  /** @returns when the change and what it fires are kept; rejects with what the bucket or the journal refuses */
  #apply(
    shard: NodeShard,
    change: BucketChange,
    cause: Cause,
    look: (result: StepResult) => void = () => {},
  ): Promise<void> {
    // An event of its own: the put may be refused, or known.
    if (change.op === 'put' && shard.wakeMs !== undefined && shard.wakeMs <= change.atMs)
      this.#happens(shard.name, { op: 'time', nowMs: change.atMs }, this.#newCause())
    const { result, deliveries, released } = this.#change(shard, change)
    look(result)
    if (change.op === 'put' && (result.error || result.outcome === 'duplicate')) this.ports.large.release(change.value)
    if (result.error) return Promise.reject(result.error)
    if (result.outcome === 'duplicate') return Promise.resolve()
    if ('session' in change && change.op !== 'end') this.#session(change.session).touched.add(shard.name)
    this.#report(shard, result)
    const sends = deliveries.map((delivery) => this.#sendOf(shard, delivery, cause))
    for (const value of released) this.ports.large.release(value)
    const written = this.ports.append([{ type: 'bucket', bucket: shard.name, change }])
    const kept = sends.length === 0 ? written : Promise.all([this.ports.accept(sends), written]).then(() => {})
    if (result.wakeMs !== undefined) this.#wake()
    if (change.op === 'put') {
      this.expectations.kept(change.session, shard.name, change.key)
      this.#answerWith(shard.name, change, kept)
    }
    return kept
  }

  /** Applies a change and counts what it holds. */
  #change(shard: NodeShard, change: BucketChange): Stepped<Deliverable> {
    const { store } = this.ports.large
    const before = shard.small
    const stepped = shard.apply(change)
    const more = shard.small - before
    if (more > 0) store.charge(more)
    else if (more < 0) store.discharge(-more)
    return stepped
  }

  /** A live object as an answer: what is too large for a message is named, as in a delivery. */
  #readable(shard: NodeShard, key: string, session: string): Payload {
    const value = shard.shard.get(session, key)
    if (!isRef(value)) return value
    const fired = { bucket: shard.name, trigger: 0, id: '', objects: 1, bytes: value.bytes }
    return encodeDelivery({ fired, at: 0, one: true, keys: false }, [{ key, session }], [value])
  }

  /** A large value under a live key: whether it is the same is known only when both are read. @returns true when `then` will be called */
  #comparesLarge(shard: NodeShard, key: string, session: string, value: Deliverable, then: () => void): boolean {
    const live = shard.shard.get(session, key)
    if (!isRef(value) || !isRef(live) || 'compared' in value || live.bytes !== value.bytes) return false
    const { store } = this.ports.large
    const compared = value as ObjectRef & { compared?: true; equals?: string }
    void Promise.all([store.read(live.ref), store.read(value.ref)])
      .then(([a, b]) => {
        if (Buffer.compare(a, b) === 0) compared.equals = live.ref
      })
      .finally(() => {
        compared.compared = true
        then()
      })
    return true
  }

  #answerWith(bucket: string, { session, value }: BucketChange & { op: 'put' }, kept: Promise<void>): void {
    const known = this.#sessions.get(session)
    if (known?.awaited?.bucket === bucket) this.#settle(known, isRef(value) ? this.#read(value) : value, kept)
  }

  async #read(value: ObjectRef): Promise<Payload> {
    const bytes = await this.ports.large.store.read(value.ref)
    return value.json ? Buffer.from(bytes).toString() : bytes
  }

  #sendOf(shard: NodeShard, { firing, values }: Delivery<Deliverable>, cause: Cause): Send {
    const { id, trigger, objects, scope, incomplete, task } = firing
    const spec = shard.definition.triggers[trigger]?.spec
    if (spec === undefined) throw new Error(`bucket '${shard.name}' has no trigger ${trigger}`)
    const own = scope === '' || incomplete
    const bytes = values.reduce((sum, value) => sum + sizeOf(value), 0)
    const fired = { bucket: shard.name, trigger, id, objects: objects.length, bytes }
    const head = { fired, at: cause.at, ...shapeOf(spec, incomplete) }
    const { trace, parent, setup } = own ? { ...this.#newCause(), setup: cause.setup } : cause
    if (own)
      this.ports.log(
        'info',
        id,
        `bucket '${shard.name}' began this session from ${firing.sessions.slice(0, 20).join(', ')}`,
      )
    if (!head.keys) for (const value of values) this.ports.large.retain(value)
    const input = encodeDelivery(head, objects, values)
    return { id, session: own ? id : scope, function: task, task, input, trace, parent, setup }
  }

  #report(shard: NodeShard, { cancelled, failures, discarded }: StepResult): void {
    for (const { session, source } of cancelled) {
      const invocation = this.#sessions.get(session)?.sources?.get(`${shard.name}\n${source}`) ?? source
      this.ports.cancel(invocation)
    }
    for (const { trigger, error } of failures)
      this.ports.log('error', '', `bucket '${shard.name}': the code of its trigger ${trigger} threw ${String(error)}`)
    for (const { session, trigger, objects, missing } of discarded)
      this.ports.log(
        'warn',
        session,
        `bucket '${shard.name}': trigger ${trigger} never fired; discarded ${objects.length} objects (${firstOf(objects.map(({ key }) => key))})` +
          (missing.length > 0 ? `, missing ${firstOf(missing)}` : ''),
      )
  }

  /** Sets the clock for the next time that a shard wants to hear of. */
  #wake(): void {
    let atMs = Number.POSITIVE_INFINITY
    for (const { wakeMs } of this.#shards.values()) if (wakeMs !== undefined && wakeMs < atMs) atMs = wakeMs
    if (this.#stopped || atMs === Number.POSITIVE_INFINITY || (this.#timer && this.#timer.atMs <= atMs)) return
    clearTimeout(this.#timer?.handle)
    const handle = setTimeout(() => this.#tick(), Math.min(2 ** 31 - 1, Math.max(0, atMs - this.ports.now())))
    this.#timer = { atMs, handle }
  }

  #tick(): void {
    this.#timer = undefined
    const nowMs = this.ports.now()
    for (const shard of this.#shards.values())
      if (shard.wakeMs !== undefined && shard.wakeMs <= nowMs)
        this.#happens(shard.name, { op: 'time', nowMs }, this.#newCause())
    this.#wake()
  }

  /** Fires what waits in queues that say `flush`: the application ends. */
  async flush(): Promise<void> {
    for (const shard of this.#shards.values()) await this.#apply(shard, { op: 'flush' }, this.#newCause())
  }

  /** Sessions whose end is not known when a platform starts again. */
  get sessions(): string[] {
    return [...this.#sessions.keys()]
  }

  /** What the node knows of a session; undefined when that is nothing. */
  inspect(session: string): SessionState | undefined {
    const known = this.#sessions.get(session)
    const buckets: SessionState['buckets'] = {}
    for (const shard of this.#shards.values()) {
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
    const ended = this.#isClosed(session)
    if (known === undefined && !ended && Object.keys(buckets).length === 0) return undefined
    const expected = this.expectations.of(session)
    return { ended, leasedTo: known?.lessee?.id ?? null, awaits: known?.awaited?.bucket ?? null, expected, buckets }
  }

  status(): BucketStatus[] {
    return [...this.#shards.values()].map((shard) => {
      const { state } = shard.shard
      let objects = 0
      for (const { live } of state.sessions.values()) objects += live.size
      return {
        bucket: shard.name,
        objects,
        bytes: shard.bytes,
        sessions: state.sessions.size,
        oldestMs: shard.oldestMs(this.ports.now()),
      }
    })
  }

  close(): void {
    this.#stopped = true
    this.expectations.close()
    clearTimeout(this.#timer?.handle)
  }

  #newCause(): Cause {
    return { setup: this.ports.currentSetup(), trace: newId(), parent: '', at: this.ports.now() }
  }

  #isClosed(session: string): boolean {
    return isClosed(this.#closed, session)
  }

  #refuseClosed(bucket: string, session: string): void {
    if (!isClosed(this.#closed, session)) return
    throw new FusionizeError(
      'SESSION_CLOSED',
      `bucket '${bucket}', session '${session}': the session has ended; await every put before the task returns`,
      { bucket, session },
    )
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

function firstOf(names: readonly string[]): string {
  return names.length > 10 ? `${names.slice(0, 10).join(', ')}…` : names.join(', ')
}

function unknownBucket(name: string, known: string[]): FusionizeError {
  return new FusionizeError(
    'UNKNOWN_BUCKET',
    `there is no bucket '${name}' in this app (${known.length > 0 ? known.join(', ') : 'it has none'}); export it from a file that a task imports, and deploy again`,
    { bucket: name },
  )
}
