import type { BucketDefinition, TaskDefinition } from '../definition.js'
import { spanId } from '../record.js'
import type { Trigger } from '../triggers/custom.js'
import { flushesAtEnd, isFusible, Shard } from '../triggers/shard.js'
import type { Firing, StepResult } from '../triggers/types.js'
import { dataOf } from './bucket-data.js'
import { type DeliveryHead, encodeDelivery, shapeOf } from './delivery.js'
import type { Frame } from './frames.js'
import { type Habit, startNext, startOrHold } from './fused.js'
import type { Lease, Leased } from './lease.js'
import { LightPuts } from './light-puts.js'
import { LightFiring, Put } from './put.js'
import type { Router } from './router.js'
import { leave } from './run.js'
import { isRunning, stop, stoppable } from './sources.js'
import { clock } from './spans.js'
import { checkSize, given, isLarge, isShared, outgoing, type Stored, same } from './stored.js'
import { laterOf, transportOf } from './surroundings.js'
import { copiedBytes, copy, encode } from './wire.js'
import { Work } from './work.js'

/** A fused bucket: evaluated in the function itself, for the sessions that are leased to it. */
export class LocalShard implements Leased {
  // What every light put reads comes first: in a chain of different tasks these lines of memory are not in the cache.
  readonly usable: boolean
  private readonly stateless: boolean
  /** The machine has seen something, of whatever session. */
  private unfolded = false
  /** Of the only trigger, when that is `immediate`. */
  private readonly immediate: TaskDefinition | undefined
  private readonly light = new LightPuts()
  readonly shard: Shard<Stored>
  private readonly flushes: boolean
  /** Code of the application sees objects: it gets no more of them than JSON has. */
  private readonly plain: boolean
  /** By session and name, the run that is the source; '': nobody needs it any more, though it has not begun. */
  private readonly sources = new Map<string, Map<string, string>>()
  private readonly cancels: boolean
  /** By trigger. */
  private readonly habits: Habit[]
  private timer: { atMs: number; cancel(): void } | undefined

  constructor(
    readonly b: BucketDefinition,
    readonly router: Router,
  ) {
    this.usable = laterOf(router) !== undefined || isFusible(b.triggers)
    this.stateless = b.triggers.every(({ spec }) => spec.kind === 'immediate' || spec.kind === 'byName')
    this.immediate =
      b.triggers.length === 1 && b.triggers[0]?.spec.kind === 'immediate' ? b.triggers[0].task : undefined
    this.flushes = flushesAtEnd(b.triggers)
    this.cancels = b.triggers.some(({ spec }) => spec.kind === 'redundant' && spec.cancel)
    this.habits = b.triggers.map(() => ({ left: 0 }))
    this.plain = b.triggers.some(({ spec }) => spec.kind === 'custom')
    this.shard = new Shard(b.name, b.triggers, same, router.info.dev)
  }

  put(frame: Frame, key: string, value: unknown, group: string | undefined, ordinal: number, at: number): void {
    const { run, session } = frame
    const kept = this.keep(key, value)
    const put = new Put(key, session, kept, keptBytes, frame, ordinal, this.b.name, at)
    if (group !== undefined) put.group = group
    dataOf(run).put(frame.span, this.b.name, keptBytes)
    const lease = frame.run.lease as Lease
    const before = this.isLight(session) ? this.light.add(put) : -1
    if (before < 0) this.putNext(frame, lease, put, at)
    else this.putLight(frame, lease, put, before, at)
  }

  /** The machine knows nothing of the session, and needs to know nothing. */
  private isLight(session: string): boolean {
    return this.stateless && !(this.unfolded && this.shard.state.sessions.has(session))
  }

  /** Bytes in shared memory stay where they are, here as everywhere on the node; all else is copied. */
  private keep(key: string, value: unknown): unknown {
    if (!isLarge(value)) {
      const kept = copy(value)
      keptBytes = copiedBytes
      return kept
    }
    checkSize(this.b, key, value)
    keptBytes = value.byteLength
    return isShared(value) ? value : copy(value)
  }

  get(session: string, key: string): unknown {
    const stored = this.light.get(session, key) ?? this.shard.get(session, key)
    return stored && given(stored)
  }

  /** Fires as the machine would, without one. */
  private putLight(frame: Frame, lease: Lease, put: Put, before: number, at: number): void {
    if (before === 0) lease.light.push(this)
    this.accepted(frame, lease, put)
    const { immediate } = this
    if (immediate) {
      this.fire(frame, new LightFiring(this.b.name, 0, immediate.name, put, before), [put], at, immediate)
      return
    }
    const { triggers } = this.b
    for (let i = 0; i < triggers.length; i++) {
      const { spec, task } = triggers[i] as BucketDefinition['triggers'][number]
      // A key has one put, so `byName` has one firing.
      if (spec.kind === 'immediate' || (spec.kind === 'byName' && spec.key === put.key)) {
        const ordinal = spec.kind === 'immediate' ? before : 0
        this.fire(frame, new LightFiring(this.b.name, i, task.name, put, ordinal), [put], at, task)
      }
    }
  }

  private putNext(frame: Frame, lease: Lease, put: Put, at: number): void {
    this.unfold(put.session)
    if (this.cancels) stoppable(frame)
    const nowMs = this.shard.machine.timed ? Date.now() : 0
    // An event of its own: the put may be refused, or known.
    if (this.timer && this.timer.atMs <= nowMs) this.tellAll({ kind: 'time', nowMs }, '')
    const { result, deliveries } = this.shard.put(this.plain ? put.plain() : put, put, nowMs)
    if (result.error) throw result.error
    if (result.outcome === 'duplicate') return
    lease.shards.add(this)
    this.accepted(frame, lease, put)
    this.report(result)
    for (const { firing, values } of deliveries) this.fire(frame, firing, values, at)
  }

  /** Light puts as the machine's state has them; what they fired has begun. */
  private unfold(session: string): void {
    this.unfolded = true
    if (this.light.has(session)) for (const put of this.light.take(session)) this.shard.put(put, put, 0)
  }

  private accepted(frame: Frame, lease: Lease, put: Put): void {
    lease.note(put)
    if (lease.result !== this.b.name) return
    lease.result = undefined
    transportOf(this.router).result(frame.session, encode(put.value))
  }

  declare(frame: Frame, id: string, declared: { keys?: string[]; sources?: string[] }): void {
    const { session } = frame
    this.unfold(session)
    const { result, deliveries } = this.shard.step({ kind: 'declare', session, id, ...declared })
    if (result.error) throw result.error
    this.report(result)
    this.use(frame).note({ op: () => ({ bucket: this.b.name, session, op: 'declare', id, ...declared }) })
    for (const { firing, values } of deliveries) this.fire(frame, firing, values, clock())
  }

  nameSource(frame: Frame, source: string, run: string): void {
    const sources = this.sourcesOf(frame.session)
    if (sources.get(source) === '') stop(run)
    else sources.set(source, run)
    this.use(frame)
  }

  private sourcesOf(session: string): Map<string, string> {
    const known = this.sources.get(session) ?? new Map<string, string>()
    this.sources.set(session, known)
    return known
  }

  tellSource(frame: Frame, kind: 'sourceDone' | 'sourceFailed', source: string): void {
    const { session } = frame
    this.unfold(session)
    const { result, deliveries } = this.shard.step({ kind, session, source })
    this.report(result)
    this.use(frame).note({ op: () => ({ bucket: this.b.name, session, op: kind, source }) })
    for (const { firing, values } of deliveries) this.fire(frame, firing, values, clock())
  }

  flush(session: string): boolean {
    return !this.flushes || this.tellAll({ kind: 'sessionEnd', session, flushOnly: true }, session)
  }

  /** The end of the session as far as this bucket goes. @returns false when it made work */
  end(session: string): boolean {
    this.sources.delete(session)
    // Of puts that no trigger remembers only the end would be left.
    if (this.light.delete(session) && laterOf(this.router) === undefined) return true
    return this.tellAll({ kind: 'sessionEnd', session }, session)
  }

  drop(session: string): void {
    this.light.delete(session)
    this.shard.drop(session)
    const { name: bucket } = this.b
    for (const [source, invocation] of this.sources.get(session) ?? [])
      if (isRunning(invocation))
        void transportOf(this.router).bucket({ bucket, session, op: 'source', source, invocation })
    this.sources.delete(session)
  }

  /** The lease under which this shard knows something of the session from now on. */
  private use(frame: Frame): Lease {
    const lease = frame.run.lease as Lease
    lease.shards.add(this)
    return lease
  }

  /** An event that belongs to no run. */
  private tellAll(
    event: { kind: 'sessionEnd'; session: string; flushOnly?: boolean } | { kind: 'time'; nowMs: number },
    session: string,
  ) {
    const { result, deliveries } = this.shard.step(event)
    this.report(result)
    for (const { firing, values } of deliveries) void this.hand(firing, values, clock(), session)
    return event.kind === 'time' || (result.ended && deliveries.length === 0)
  }

  private fire(
    frame: Frame,
    firing: Firing,
    values: readonly Stored[],
    at: number,
    definition = this.b.tasks.get(firing.task),
  ): void {
    const { run } = frame
    const link = definition && run.router.link(definition)
    const own = firing.scope === '' || firing.incomplete
    if (definition?.body && link && link.send !== 'inline' && !own) {
      const work = new Work(this, frame, definition, -1, firing, values, at)
      startNext(frame, work, this.habits[firing.trigger] as Habit)
      return
    }
    if (definition === undefined || link?.send !== 'inline' || own) {
      if (run.lease && !own) run.lease.spread = true
      leave(frame, this.hand(firing, values, at, frame.session, frame))
      return
    }
    startOrHold(frame, new Work(this, frame, definition, link.name, firing, values, at))
  }

  /** Gives a firing to the platform; one that gathers over sessions, or what a session left, is a session of its own. */
  private hand(firing: Firing, values: readonly Stored[], at: number, session: string, frame?: Frame): Promise<void> {
    const own = firing.scope === '' || firing.incomplete
    const definition = this.b.tasks.get(firing.task)
    return this.router.send(definition ?? { name: firing.task, options: {}, body: undefined }, {
      id: firing.id,
      session: own ? `${firing.id}` : session,
      task: firing.task,
      input: this.textOf(firing, values, at),
      deadline: Number.MAX_SAFE_INTEGER,
      trace: frame?.run.request.trace ?? '0'.repeat(32),
      parent: frame ? spanId(frame.run.spanId, frame.span) : '',
      setup: this.router.info.setup,
    })
  }

  textOf(firing: Firing, values: readonly Stored[], at: number): string {
    const bytes = values.reduce((sum, value) => sum + value.bytes, 0)
    return encodeDelivery(
      this.headOf(firing, bytes, at),
      firing.objects,
      values.map(({ value }) => outgoing(this.router, value)),
    )
  }

  headOf(firing: Firing, bytes: number, at: number): DeliveryHead {
    return { fired: this.firedOf(firing, bytes), at: performance.timeOrigin + at, ...this.shapeOf(firing) }
  }

  firedOf({ id, trigger, objects }: Firing, bytes: number): DeliveryHead['fired'] {
    return { bucket: this.b.name, trigger, id, objects: objects.length, bytes }
  }

  shapeOf({ trigger, incomplete }: Firing): { one: boolean; keys: boolean } {
    return shapeOf(this.b.triggers[trigger]?.spec as Trigger, incomplete)
  }

  /** What an event did besides firing. */
  private report(result: StepResult): void {
    const { router, b } = this
    for (const { session, source } of result.cancelled) {
      const sources = this.sourcesOf(session)
      stop(sources.get(source) ?? source)
      sources.set(source, '')
    }
    for (const { trigger, error } of result.failures)
      warn(router, `bucket '${b.name}': the code of its trigger ${trigger} threw ${String(error)}`)
    for (const { session, trigger, objects, missing } of result.discarded)
      warn(
        router,
        `bucket '${b.name}', session '${session}': trigger ${trigger} never fired; discarded ${objects.length} objects` +
          (missing.length > 0 ? `, missing ${missing.slice(0, 10).join(', ')}` : ''),
      )
    if (result.wakeMs !== undefined) this.wake(result.wakeMs)
  }

  /** For buckets with a clock, which only tasks outside a function evaluate here. */
  private wake(atMs: number): void {
    if (this.timer && this.timer.atMs <= atMs) return
    this.timer?.cancel()
    const cancel = laterOf(this.router)?.(Math.max(0, atMs - Date.now()), () => {
      this.timer = undefined
      this.tellAll({ kind: 'time', nowMs: Math.max(Date.now(), atMs) }, '')
    })
    if (cancel) this.timer = { atMs, cancel }
  }
}

/** Size of the value that `keep` kept last. */
let keptBytes = 0

function warn(router: Router, message: string): void {
  router.log({ level: 'warn', task: '', session: '', message, time: Date.now() })
}
