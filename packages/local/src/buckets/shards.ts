import type { BucketStatus } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import {
  type BucketDefinition,
  type Deliverable,
  type Delivery,
  encodeDelivery,
  isRef,
  refsIn,
  type Stepped,
  type StepResult,
  shapeOf,
  sizeOf,
} from 'fusionize/buckets'
import { newId } from '../ids.js'
import type { Send } from '../send.js'
import { Comparer } from './comparer.js'
import type { BucketChange, ChangeEvent, OverEvent, OwedEvent, PutChange } from './events.js'
import type { LargeObjects } from './large.js'
import { NodeShard } from './node-shard.js'
import { Owed, type Owing } from './owed.js'

export interface ShardPorts {
  /** Keeps the events as safely as accepted sends; resolves at once when nothing is to be written. */
  append(events: ChangeEvent[]): Promise<void>
  /** Keeps firings, and has them run. */
  accept(firings: Send[]): Promise<unknown>
  /** Whether a firing of this id was accepted. */
  isAccepted(id: string): boolean
  /** Nobody needs what the source of the bucket does. */
  cancel(bucket: string, session: string, source: string): void
  /** The bucket knows the session. */
  touched(bucket: string, session: string): void
  /** An object was put, and is kept when `kept` resolves. */
  put(bucket: string, change: PutChange, kept: Promise<void>): void
  log(level: 'info' | 'warn' | 'error', session: string, message: string): void
  /** Setup of what belongs to no session that is under way. */
  currentSetup(): string
  now(): number
}

/** What a firing's sends carry of the put that completed it. */
export interface Cause {
  setup: string
  trace: string
  parent: string
  /** Epoch ms. */
  at: number
}

/** The buckets that the node evaluates: their changes become events of the journal, their firings sends. */
export class Shards {
  readonly #shards = new Map<string, NodeShard>()
  /** Changes in a journal for buckets that no deployment has named yet. */
  readonly #early = new Map<string, BucketChange[]>()
  readonly #comparer: Comparer
  readonly owed: Owed
  /** Of a journal: firings that were done in sandboxes. */
  readonly #over = new Set<string>()
  #timer: { atMs: number; handle: NodeJS.Timeout } | undefined
  #stopped = false
  #defined = false

  constructor(
    readonly ports: ShardPorts,
    readonly large: LargeObjects,
    readonly dev: boolean,
  ) {
    this.#comparer = new Comparer((ref) => large.store.read(ref))
    this.owed = new Owed((value) => large.release(value))
  }

  /**
   * Takes the buckets of a deployment.
   * @throws {FusionizeError} `INVALID_CONFIG` when a bucket with objects has other triggers now
   */
  define(definitions: readonly BucketDefinition[]): void {
    const next = definitions.map((definition) => {
      const known = this.#shards.get(definition.name)
      const shard = new NodeShard(definition, this.#comparer.same, this.dev)
      const changes = this.#early.get(definition.name) ?? (known ? [...known.snapshot()] : [])
      for (const change of changes) {
        const { deliveries } = shard.apply(change)
        if (change.op === 'end' && !change.flushOnly) this.owed.forgetSession(change.session)
        else this.#owe(shard, change, deliveries)
      }
      shard.settle()
      return shard
    })
    this.owed.forget((id) => this.#over.has(id) || this.ports.isAccepted(id))
    for (const shard of next) {
      this.#shards.set(shard.name, shard)
      if (this.#early.delete(shard.name))
        for (const session of shard.shard.state.sessions.keys()) this.ports.touched(shard.name, session)
    }
    this.#defined = true
    if (this.#early.size === 0) this.#over.clear()
    if (next.length > 0) this.#wake()
  }

  find(bucket: string): NodeShard | undefined {
    return this.#shards.get(bucket)
  }

  /** @throws {FusionizeError} `UNKNOWN_BUCKET` */
  get(bucket: string): NodeShard {
    const shard = this.#shards.get(bucket)
    if (shard) return shard
    const known = [...this.#shards.keys()]
    throw new FusionizeError(
      'UNKNOWN_BUCKET',
      `there is no bucket '${bucket}' in this app (${known.length > 0 ? known.join(', ') : 'it has none'}); export it from a file that a task imports, and deploy again`,
      { bucket },
    )
  }

  all(): Iterable<NodeShard> {
    return this.#shards.values()
  }

  // — what the journal has —

  /** A change of an earlier run. */
  replay(bucket: string, change: BucketChange): void {
    if (this.#defined) return
    const changes = this.#early.get(bucket)
    if (changes === undefined || change.op === 'state') this.#early.set(bucket, [change])
    else changes.push(change)
  }

  /** What was owed at the time of a snapshot. */
  replayOwed({ session, by, send }: OwedEvent): void {
    this.owed.add(session, { id: send.id, by, values: refsIn(send.input), sendOf: () => send })
  }

  /** What was replayed so far is void. */
  forgetReplayed(): void {
    this.#early.clear()
    this.owed.forgetAll()
    this.#over.clear()
  }

  replayOver(ids: readonly string[]): void {
    for (const id of ids) this.#over.add(id)
  }

  /** Names of the large objects that are live, one for each reference. */
  *refs(): Generator<string> {
    for (const { shard } of this.#shards.values())
      for (const { value } of shard.objects()) if (isRef(value)) yield value.ref
    for (const changes of this.#early.values())
      for (const change of changes) if ('value' in change && isRef(change.value)) yield change.value.ref
    yield* this.owed.refs()
  }

  *snapshot(): Generator<ChangeEvent | OwedEvent> {
    for (const [bucket, changes] of this.#early) for (const change of changes) yield { type: 'bucket', bucket, change }
    for (const [bucket, shard] of this.#shards)
      for (const change of shard.snapshot()) yield { type: 'bucket', bucket, change }
    yield* this.owed.snapshot(this.newCause())
  }

  // — changes —

  /** Whether a value for a live key must be read before it can be put; `then` is called when it was. */
  mustRead(shard: NodeShard, key: string, session: string, value: Deliverable, then: () => void): boolean {
    return this.#comparer.mustRead(shard.shard.get(session, key), value, then)
  }

  /** Applies a change of the node's own, and has it kept. */
  happens(bucket: string, change: BucketChange): StepResult | undefined {
    const shard = this.#shards.get(bucket)
    if (shard === undefined) return undefined
    let result: StepResult | undefined
    this.apply(shard, change, this.newCause(), (stepped) => {
      result = stepped
    }).catch((error: unknown) => this.ports.log('error', '', `bucket '${bucket}': ${String(error)}`))
    return result
  }

  /** @returns when the change and what it fires are kept; rejects with what the bucket or the journal refuses */
  apply(
    shard: NodeShard,
    change: BucketChange,
    cause: Cause,
    look: (result: StepResult) => void = () => {},
  ): Promise<void> {
    // An event of its own: the put may be refused, or known.
    if (change.op === 'put' && shard.wakeMs !== undefined && shard.wakeMs <= change.atMs)
      this.happens(shard.name, { op: 'time', nowMs: change.atMs })
    const { result, deliveries, released } = this.#change(shard, change)
    look(result)
    if (result.error) return Promise.reject(result.error)
    const due = deliveries.length > 0 ? [] : this.#due(change, cause)
    if (result.outcome === 'duplicate')
      return due.length > 0 ? this.ports.accept(due).then(() => {}) : Promise.resolve()
    if ('session' in change && change.op !== 'end') this.ports.touched(shard.name, change.session)
    this.#report(shard, result)
    const sends = [...deliveries.map((delivery) => this.#held(shard, delivery, cause)), ...due]
    this.#release(released)
    const written = this.ports.append([{ type: 'bucket', bucket: shard.name, change }])
    const kept = sends.length === 0 ? written : Promise.all([this.ports.accept(sends), written]).then(() => {})
    if (result.wakeMs !== undefined) this.#wake()
    if (change.op === 'put') this.ports.put(shard.name, change, kept)
    return kept
  }

  /** Applies a change that happened where the bucket is fused: what it fired is dealt with there. @returns what the journal is to keep */
  mirror(shard: NodeShard, change: BucketChange): ChangeEvent {
    const { result, deliveries, released } = this.#change(shard, change)
    for (const { values } of this.#owe(shard, change, deliveries)) for (const value of values) this.large.retain(value)
    // Of sources that are elsewhere the sandbox knows nothing.
    this.#cancel(shard, result)
    this.#release(released)
    return { type: 'bucket', bucket: shard.name, change }
  }

  /** Firings of what happened where the bucket is fused are done there. @returns what the journal is to keep */
  over(session: string, ids: readonly string[]): OverEvent {
    for (const id of ids) this.owed.settled(session, id)
    return { type: 'over', ids }
  }

  /** Applies a change, and counts what it holds; a value that is not taken is released. */
  #change(shard: NodeShard, change: BucketChange): Stepped<Deliverable> {
    const { store } = this.large
    const before = shard.small
    const stepped = shard.apply(change)
    const more = shard.small - before
    if (more > 0) store.charge(more)
    else if (more < 0) store.discharge(-more)
    if (change.op === 'put' && stepped.result.outcome !== 'accepted') this.large.release(change.value)
    return stepped
  }

  #release(values: readonly Deliverable[]): void {
    for (const value of values) this.large.release(value)
  }

  /** What a sandbox made fire. @returns what was not accepted before */
  #owe(shard: NodeShard, change: BucketChange, deliveries: readonly Delivery<Deliverable>[]): readonly Owing[] {
    const by = nameOf(change)
    if (by === undefined || deliveries.length === 0) return []
    const owing = deliveries
      .filter(({ firing }) => firing.scope !== '' && !this.ports.isAccepted(firing.id))
      .map((delivery) => ({
        id: delivery.firing.id,
        by: by.name,
        values: shard.deliversKeys(delivery.firing) ? [] : delivery.values,
        sendOf: (cause: Cause) => this.#sendOf(shard, delivery, cause),
      }))
    for (const one of owing) this.owed.add(by.session, one)
    return owing
  }

  /** A change may be known, and what it fired not. */
  #due(change: BucketChange, cause: Cause): Send[] {
    const by = nameOf(change)
    if (by === undefined) return []
    return this.owed.due(by.session, by.name).map(({ values, sendOf }) => {
      for (const value of values) this.large.retain(value)
      return sendOf(cause)
    })
  }

  /** A send with references of its own. */
  #held(shard: NodeShard, delivery: Delivery<Deliverable>, cause: Cause): Send {
    if (!shard.deliversKeys(delivery.firing)) for (const value of delivery.values) this.large.retain(value)
    return this.#sendOf(shard, delivery, cause)
  }

  #sendOf(shard: NodeShard, { firing, values }: Delivery<Deliverable>, cause: Cause): Send {
    const { id, trigger, objects, scope, incomplete, task } = firing
    const spec = shard.definition.triggers[trigger]?.spec
    if (spec === undefined) throw new Error(`bucket '${shard.name}' has no trigger ${trigger}`)
    const own = scope === '' || incomplete
    const bytes = values.reduce((sum, value) => sum + sizeOf(value), 0)
    const fired = { bucket: shard.name, trigger, id, objects: objects.length, bytes }
    const head = { fired, at: cause.at, ...shapeOf(spec, incomplete) }
    const { trace, parent, setup } = own ? { ...this.newCause(), setup: cause.setup } : cause
    if (own)
      this.ports.log(
        'info',
        id,
        `bucket '${shard.name}' began this session from ${firing.sessions.slice(0, 20).join(', ')}`,
      )
    const input = encodeDelivery(head, objects, values)
    return { id, session: own ? id : scope, function: task, task, input, trace, parent, setup }
  }

  #cancel({ name }: NodeShard, { cancelled }: StepResult): void {
    for (const { session, source } of cancelled) this.ports.cancel(name, session, source)
  }

  #report(shard: NodeShard, result: StepResult): void {
    const { failures, discarded } = result
    this.#cancel(shard, result)
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

  newCause(): Cause {
    return { setup: this.ports.currentSetup(), trace: newId(), parent: '', at: this.ports.now() }
  }

  // — time —

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
      if (shard.wakeMs !== undefined && shard.wakeMs <= nowMs) this.happens(shard.name, { op: 'time', nowMs })
    this.#wake()
  }

  /** Fires what waits in queues that say `flush`: no more objects come. @returns how many firings, when they are kept */
  async flush(): Promise<number> {
    let fired = 0
    for (const shard of this.#shards.values())
      await this.apply(shard, { op: 'flush' }, this.newCause(), ({ firings }) => {
        fired += firings.length
      })
    return fired
  }

  status(): BucketStatus[] {
    return [...this.#shards.values()].map((shard) => {
      const { state } = shard.shard
      let objects = 0
      for (const { live } of state.sessions.values()) objects += live.size
      const oldestMs = shard.oldestMs(this.ports.now())
      return { bucket: shard.name, objects, bytes: shard.bytes, sessions: state.sessions.size, oldestMs }
    })
  }

  close(): void {
    this.#stopped = true
    clearTimeout(this.#timer?.handle)
  }
}

/** What may fire, as whoever repeats it names it. */
function nameOf(change: BucketChange): { session: string; name: string } | undefined {
  switch (change.op) {
    case 'put':
      return { session: change.session, name: change.id }
    case 'declare':
      return { session: change.session, name: `declare ${change.id}` }
    case 'sourceDone':
    case 'sourceFailed':
      return { session: change.session, name: `${change.op} ${change.source}` }
  }
  return undefined
}

function firstOf(names: readonly string[]): string {
  return names.length > 10 ? `${names.slice(0, 10).join(', ')}…` : names.join(', ')
}
