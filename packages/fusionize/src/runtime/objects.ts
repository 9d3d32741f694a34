import type { SourcePromise } from '../bucket.js'
import type { BucketDefinition, TaskDefinition } from '../definition.js'
import { FusionizeError } from '../errors.js'
import { type Fired, type Puts, spanId } from '../record.js'
import type { Trigger } from '../triggers/custom.js'
import { putIdOf } from '../triggers/put-id.js'
import { isFusible, Shard } from '../triggers/shard.js'
import { firingId } from '../triggers/step-outlet.js'
import type { Firing, ObjectMeta, StepResult } from '../triggers/types.js'
import { spanCode } from './calls.js'
import {
  type Deliverable,
  type DeliveryHead,
  decodeDelivery,
  encodeDelivery,
  inputOf,
  isDelivery,
  shapeOf,
} from './delivery.js'
import { type BucketData, current, type Frame, type Held, type Run } from './frames.js'
import { startNext, startOrHold } from './fused.js'
import type { Lease, Leased } from './lease.js'
import type { PlainRouter } from './plain-router.js'
import type { BucketOp, HeldSend, Payload, Transport } from './protocol.js'
import type { Router } from './router.js'
import { leave } from './run.js'
import { copiedBytes, copy, decode, encode, sizeOf } from './wire.js'
import { errorFromWire } from './wire-errors.js'

/** Whether this function evaluates the bucket itself; outside a function every bucket is evaluated here. */
function evaluates(router: Router, bucket: string): boolean {
  return router.fused.has(bucket) || laterOf(router) !== undefined
}

/** How to be called back after a while, outside a function. */
function laterOf(router: Router): PlainRouter['later'] | undefined {
  return (router as Partial<PlainRouter>).later
}

function transportOf({ transport }: Router): Transport {
  if (transport) return transport
  throw new FusionizeError('UNSUPPORTED', 'no platform is connected')
}

/** A value in a fused bucket: nobody else's copy, and its size on the wire. */
interface Stored {
  value: unknown
  bytes: number
}

/** `bucket.put` inside a task. */
export async function put(b: BucketDefinition, key: string, value: unknown, group?: string): Promise<void> {
  const at = performance.now()
  const frame = frameFor(b, 'put')
  checkKey(b, key)
  const ordinal = frameData(frame).nextPut()
  const shard = shardFor(frame, b)
  if (shard) shard.put(frame, key, value, group, ordinal, at)
  else await putElsewhere(frame, b, key, value, group, ordinal, at)
}

/** `bucket.get` inside a task. */
export async function get(b: BucketDefinition, key: string): Promise<unknown> {
  const frame = frameFor(b, 'get')
  checkKey(b, key)
  const shard = shardFor(frame, b)
  if (shard) return shard.get(frame.session, key)
  const found = await ask(frame, { bucket: b.name, session: frame.session, op: 'get', key })
  if (!isDelivery(found)) return decode(found)
  // Too large to travel in an answer.
  const { input } = await decodeDelivery(found, ({ ref }) => transportOf(frame.run.router).object(ref))
  return (input as { value: unknown }).value
}

/** `bucket.source` inside a task. */
export function source(b: BucketDefinition, name: string): void {
  const frame = frameFor(b, 'source')
  if (typeof name !== 'string' || name === '')
    throw invalid(`bucket '${b.name}': a source is named ${JSON.stringify(name)}; give a text that is not empty`)
  const op = { bucket: b.name, session: frame.session, source: name }
  const tell = (kind: 'sourceDone' | 'sourceFailed') => {
    const shard = shardFor(frame, b)
    if (shard) shard.tellSource(frame, kind, name)
    else leave(frame, ask(frame, { ...op, op: kind }))
  }
  if (!shardFor(frame, b)) leave(frame, ask(frame, { ...op, op: 'source', invocation: frame.run.request.id }))
  frameData(frame).nameSource(b.name, name, tell)
}

/** `bucket.expect` of keys or sources inside a task. */
export async function declare(
  b: BucketDefinition,
  what: readonly string[] | { sources?: readonly string[] },
): Promise<void> {
  const frame = frameFor(b, 'expect')
  const keys = Array.isArray(what) ? (what as readonly string[]) : undefined
  const list = keys ?? (what as { sources?: unknown }).sources
  if (!Array.isArray(list) || list.some((name) => typeof name !== 'string' || name === ''))
    throw invalid(`bucket '${b.name}': expect takes a list of keys, or { sources: […] }; each a text that is not empty`)
  const repeated = list.find((name, i) => list.indexOf(name) !== i)
  if (repeated !== undefined) throw invalid(`bucket '${b.name}': '${repeated}' is expected twice; name each once`)
  const id = putIdOf(frame.invocation, frameData(frame).nextPut())
  const declared = keys ? { keys: [...keys] } : { sources: [...(list as string[])] }
  const shard = shardFor(frame, b)
  if (shard) shard.declare(frame, id, declared)
  else await ask(frame, { bucket: b.name, session: frame.session, op: 'declare', id, ...declared })
}

/** `bucket.expect` of a task inside a task. */
export async function promise(b: BucketDefinition, what: SourcePromise): Promise<void> {
  const frame = frameFor(b, 'expect')
  const { key, from, within, attempts = 3, rerun = 'source' } = what
  checkKey(b, key)
  if (typeof from?.taskName !== 'string')
    throw invalid(`bucket '${b.name}': expect({ key: '${key}' }) needs the task that puts it: from: thatTask`)
  if (!(within > 0 && Number.isFinite(within)))
    throw invalid(`bucket '${b.name}': within is ${within}; give the ms until the task is run again, above 0`)
  if (!Number.isSafeInteger(attempts) || attempts < 1)
    throw invalid(`bucket '${b.name}': attempts is ${attempts}; give a whole number of runs, 1 or more`)
  const op = { op: 'promise', key, from: from.taskName, withinMs: within, attempts, rerun } as const
  await ask(frame, { bucket: b.name, session: frame.session, ...op })
}

function frameFor(b: BucketDefinition, what: string): Frame {
  const frame = current.getStore()
  if (frame) return frame
  throw new FusionizeError(
    'UNSUPPORTED',
    `bucket '${b.name}': ${what} belongs to a session, so it works inside a task only; call a task that does it`,
  )
}

function checkKey(b: BucketDefinition, key: unknown): void {
  if (typeof key !== 'string' || key === '' || key.length > 1024)
    throw invalid(
      `bucket '${b.name}': a key is ${typeof key === 'string' ? `${key.length} characters long` : JSON.stringify(key)}; give a text of 1 to 1024 characters`,
    )
}

function invalid(message: string): FusionizeError {
  return new FusionizeError('INVALID_CONFIG', message)
}

async function ask(frame: Frame, op: BucketOp): Promise<Payload> {
  const { run } = frame
  if (run.lease) run.lease.spread = true
  run.open++
  try {
    const outcome = await transportOf(run.router).bucket(op)
    if (!outcome.ok) throw errorFromWire(outcome.error, frame.definition.name)
    return outcome.output
  } finally {
    run.closeCall()
  }
}

async function putElsewhere(
  frame: Frame,
  b: BucketDefinition,
  key: string,
  value: unknown,
  group: string | undefined,
  ordinal: number,
  at: number,
): Promise<void> {
  const { run, session } = frame
  const large = isLarge(value)
  if (large) checkSize(b, key, value)
  const payload = large ? transportOf(run.router).share(value) : encode(value)
  notePut(run, frame.span, b.name, large ? value.byteLength : sizeOf(payload as Payload))
  await ask(frame, {
    bucket: b.name,
    session,
    op: 'put',
    key,
    id: putId(frame, key, ordinal),
    ...(group !== undefined && { group }),
    source: frameData(frame).sourceOf(b.name),
    at: performance.timeOrigin + at,
    value: payload,
    trace: run.request.trace,
    parent: spanId(run.spanId, frame.span),
  })
}

/** With the key in it: should the branches of a retried task put in another order, an object counts twice rather than never. */
function putId(frame: Frame, key: string, ordinal: number): string {
  return putIdOf(`${frame.invocation}/${key}`, ordinal)
}

/** The shard of the bucket in this function, when it may evaluate it for the frame's session. */
function shardFor(frame: Frame, b: BucketDefinition): LocalShard | undefined {
  const { lease, router } = frame.run
  if (lease === undefined || !lease.open || !evaluates(router, b.name)) return undefined
  let shard = router.shards.get(b.name) as LocalShard | undefined
  if (shard === undefined) {
    shard = new LocalShard(b, router)
    router.shards.set(b.name, shard)
  }
  return shard.usable ? shard : undefined
}

/**
 * An object on its way into a fused bucket. What few ever ask for is made when it is: ids are a large part of what a put in the same
 * sandbox costs.
 */
class PutMeta implements ObjectMeta {
  seq = 0
  hash = ''
  group?: string
  private id: string | undefined

  constructor(
    readonly key: string,
    readonly session: string,
    readonly bytes: number,
    readonly frame: Frame,
    private readonly ordinal: number,
    private readonly bucket: string,
  ) {}

  get putId(): string {
    this.id ??= putId(this.frame, this.key, this.ordinal)
    return this.id
  }

  get source(): string {
    return frameData(this.frame).sourceOf(this.bucket)
  }
}

/** The only put of a session so far, in a bucket whose triggers remember nothing: no state is made for it before there is a second. */
interface First {
  meta: PutMeta
  stored: Stored
}

/** A fused bucket: evaluated in the function itself, for the sessions that are leased to it. */
class LocalShard implements Leased {
  readonly usable: boolean
  readonly shard: Shard<Stored>
  private readonly firsts = new Map<string, First>()
  private readonly stateless: boolean
  private timer: { atMs: number; cancel(): void } | undefined

  constructor(
    readonly b: BucketDefinition,
    readonly router: Router,
  ) {
    this.usable = laterOf(router) !== undefined || isFusible(b.triggers)
    this.stateless = b.triggers.every(({ spec }) => spec.kind === 'immediate' || spec.kind === 'byName')
    this.shard = new Shard(b.name, b.triggers, same, router.info.dev)
  }

  put(frame: Frame, key: string, value: unknown, group: string | undefined, ordinal: number, at: number): void {
    const { run, session } = frame
    const stored = this.store(key, value)
    const meta = new PutMeta(key, session, stored.bytes, frame, ordinal, this.b.name)
    if (group !== undefined) meta.group = group
    notePut(run, frame.span, this.b.name, stored.bytes)
    const lease = this.use(frame)
    if (this.stateless && !lease.shards.has(this)) this.putFirst(frame, lease, meta, stored, at)
    else this.putNext(frame, lease, meta, stored, at)
  }

  /** Bytes in shared memory stay where they are, here as everywhere on the node; all else is copied. */
  private store(key: string, value: unknown): Stored {
    if (!isLarge(value)) return { value: copy(value), bytes: copiedBytes }
    checkSize(this.b, key, value)
    return { value: isShared(value) ? value : copy(value), bytes: value.byteLength }
  }

  get(session: string, key: string): unknown {
    const first = this.firsts.get(session)
    if (first) return first.meta.key === key ? given(first.stored) : undefined
    const stored = this.shard.get(session, key)
    return stored && given(stored)
  }

  /** Fires as the machine would, without one. */
  private putFirst(frame: Frame, lease: Lease, meta: PutMeta, stored: Stored, at: number): void {
    lease.shards.add(this)
    this.firsts.set(meta.session, { meta, stored })
    this.accepted(frame, lease, meta, stored, at)
    const { triggers } = this.b
    for (let i = 0; i < triggers.length; i++) {
      const { spec, task } = triggers[i] as BucketDefinition['triggers'][number]
      if (spec.kind === 'immediate' || (spec.kind === 'byName' && spec.key === meta.key))
        this.fire(frame, new FirstFiring(this.b.name, i, task.name, meta), [stored], at)
    }
  }

  private putNext(frame: Frame, lease: Lease, meta: PutMeta, stored: Stored, at: number): void {
    this.unfold(meta.session)
    const { result, deliveries } = this.shard.put(meta, stored, this.shard.machine.timed ? Date.now() : 0)
    if (result.error) throw result.error
    if (result.outcome === 'duplicate') return
    lease.shards.add(this)
    this.accepted(frame, lease, meta, stored, at)
    this.report(result)
    for (const { firing, values } of deliveries) this.fire(frame, firing, values, at)
  }

  /** The first put as the machine's state has it; what it fired has begun. */
  private unfold(session: string): void {
    if (this.firsts.size === 0) return
    const first = this.firsts.get(session)
    if (first === undefined) return
    this.firsts.delete(session)
    this.shard.put(first.meta, first.stored, 0)
  }

  private accepted(frame: Frame, lease: Lease, meta: PutMeta, stored: Stored, at: number): void {
    lease.note(new LoggedPut(this.b.name, meta, stored, at))
    if (lease.result !== this.b.name) return
    lease.result = undefined
    transportOf(this.router).result(frame.session, encode(stored.value))
  }

  declare(frame: Frame, id: string, declared: { keys?: string[]; sources?: string[] }): void {
    const { session } = frame
    this.unfold(session)
    const { result, deliveries } = this.shard.step({ kind: 'declare', session, id, ...declared })
    if (result.error) throw result.error
    this.use(frame).note({ op: () => ({ bucket: this.b.name, session, op: 'declare', id, ...declared }) })
    for (const { firing, values } of deliveries) this.fire(frame, firing, values, performance.now())
  }

  tellSource(frame: Frame, kind: 'sourceDone' | 'sourceFailed', source: string): void {
    const { session } = frame
    this.unfold(session)
    const { deliveries } = this.shard.step({ kind, session, source })
    this.use(frame).note({ op: () => ({ bucket: this.b.name, session, op: kind, source }) })
    for (const { firing, values } of deliveries) this.fire(frame, firing, values, performance.now())
  }

  /** The end of the session as far as this bucket goes. @returns false when it made work */
  end(session: string): boolean {
    // Of a session with one put that its triggers do not remember only the end would be left.
    if (this.firsts.delete(session) && laterOf(this.router) === undefined) return true
    return this.tellAll({ kind: 'sessionEnd', session }, session)
  }

  drop(session: string): void {
    this.firsts.delete(session)
    this.shard.drop(session)
  }

  private use(frame: Frame): Lease {
    return frame.run.lease as Lease
  }

  /** An event that belongs to no run. */
  private tellAll(event: { kind: 'sessionEnd'; session: string } | { kind: 'time'; nowMs: number }, session: string) {
    const { result, deliveries } = this.shard.step(event)
    this.report(result)
    for (const { firing, values } of deliveries) void this.hand(firing, values, performance.now(), session)
    return event.kind === 'time' || (result.ended && deliveries.length === 0)
  }

  private fire(frame: Frame, firing: Firing, values: readonly Stored[], at: number): void {
    const { run } = frame
    const definition = this.b.tasks.get(firing.task)
    const link = definition && run.router.link(definition)
    const own = firing.scope === '' || firing.incomplete
    if (definition?.body && link && link.send !== 'inline' && !own) {
      startNext(frame, new Work(this, frame, definition, -1, firing, values, at))
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

/** What the platform hears of a put, should it have to. */
class LoggedPut {
  constructor(
    private readonly bucket: string,
    private readonly meta: PutMeta,
    private readonly stored: Stored,
    private readonly at: number,
  ) {}

  op(): BucketOp {
    const { key, session, putId: id, group, source, frame } = this.meta
    const { bucket, at } = this
    const value = outgoing(frame.run.router, this.stored.value)
    const parent = spanId(frame.run.spanId, frame.span)
    const op = { bucket, session, op: 'put', key, id, source, at: performance.timeOrigin + at, value } as const
    return { ...op, ...(group !== undefined && { group }), trace: frame.run.request.trace, parent }
  }
}

/** The firing of a first put: what the machine would say of it. */
class FirstFiring implements Firing {
  readonly ordinal = 0
  readonly group = undefined
  readonly sessions: string[] = []
  readonly incomplete = false
  private known: string | undefined

  constructor(
    readonly bucket: string,
    readonly trigger: number,
    readonly task: string,
    private readonly meta: ObjectMeta,
  ) {}

  get id(): string {
    this.known ??= firingId(this.bucket, this.trigger, this.scope, 0)
    return this.known
  }

  get scope(): string {
    return this.meta.session
  }

  get objects(): ObjectMeta[] {
    return [this.meta]
  }
}

/** What a trigger of a fused bucket starts in the same invocation. */
class Work implements Held {
  readonly span: number

  constructor(
    private readonly shard: LocalShard,
    private readonly frame: Frame,
    readonly definition: TaskDefinition,
    /** Index of the task's name; -1 when it runs as an invocation of its own, and so has no span here. */
    name: number,
    private readonly firing: Firing,
    private readonly values: readonly Stored[],
    private readonly at: number,
  ) {
    this.span = name < 0 ? frame.span : frame.run.spans.openAt(frame.span, name, spanCode.send, this.bytes, at)
  }

  get id(): string {
    return this.firing.id
  }

  private get bytes(): number {
    let bytes = 0
    for (const value of this.values) bytes += value.bytes
    return bytes
  }

  begin(): unknown {
    noteFiring(this.frame.run, this, this.at)
    return this.input()
  }

  private input(): unknown {
    const { objects } = this.firing
    const { one, keys } = this.shard.shapeOf(this.firing)
    if (one && !keys) return delivered(objects[0] as ObjectMeta, given(this.values[0] as Stored))
    return inputOf(
      { one, keys },
      objects.map((meta, i) => delivered(meta, given(this.values[i] as Stored))),
    )
  }

  fired(): Omit<Fired, 'waitMs'> {
    return this.shard.firedOf(this.firing, this.bytes)
  }

  send(): HeldSend {
    const { frame, firing, values, at, shard, span } = this
    const { run } = frame
    return {
      id: firing.id,
      session: frame.session,
      // A trigger's task has a function of its own, but where it is fused that may not exist.
      function: firing.task,
      task: firing.task,
      input: shard.textOf(firing, values, at),
      trace: run.request.trace,
      parent: spanId(run.spanId, span),
      setup: run.router.info.setup,
      given: () => ({ head: shard.headOf(firing, this.bytes, at), input: this.input() }),
    }
  }
}

/** What a run did with buckets, for its record. */
class RunData implements BucketData {
  puts: Puts[] | undefined
  begun: { work: Work; at: number }[] | undefined

  constructor(private readonly run: Run) {}

  /** What fused buckets started. */
  get firings(): { span: number; fired: Fired }[] | undefined {
    const { spans } = this.run
    return this.begun?.map(({ work, at }) => {
      const waitMs = Math.max(0, spans.startOf(work.span) / 1000 + spans.origin - at)
      return { span: work.span, fired: { ...work.fired(), waitMs: Math.round(waitMs * 1000) / 1000 } }
    })
  }
}

function dataOf(run: Run): RunData {
  run.data ??= new RunData(run)
  return run.data as RunData
}

function notePut(run: Run, span: number, bucket: string, bytes: number): void {
  const data = dataOf(run)
  data.puts ??= []
  const last = data.puts[data.puts.length - 1]
  if (last?.span === span && last.bucket === bucket) {
    last.count++
    last.bytes += bytes
  } else data.puts.push({ span, bucket, count: 1, bytes })
}

function noteFiring(run: Run, work: Work, at: number): void {
  const data = dataOf(run)
  data.begun ??= []
  data.begun.push({ work, at })
}

/** What a frame does with buckets. */
class FrameData {
  private puts = 0
  private sources: { bucket: string; name: string }[] | undefined

  constructor(private readonly frame: Frame) {}

  nextPut(): number {
    return ++this.puts
  }

  /** This run is the source `name` of the bucket; `tell` says how it ended. */
  nameSource(bucket: string, name: string, tell: (kind: 'sourceDone' | 'sourceFailed') => void): void {
    this.sources ??= []
    this.sources.push({ bucket, name })
    const { onOver } = this.frame
    this.frame.onOver = (ok) => {
      onOver?.(ok)
      tell(ok ? 'sourceDone' : 'sourceFailed')
    }
  }

  sourceOf(bucket: string): string {
    return this.sources?.findLast((source) => source.bucket === bucket)?.name ?? this.frame.invocation
  }
}

function frameData(frame: Frame): FrameData {
  frame.data ??= new FrameData(frame)
  return frame.data as FrameData
}

function warn(router: Router, message: string): void {
  router.log({ level: 'warn', task: '', session: '', message, time: Date.now() })
}

/** Bytes of a value from which on it goes through the object store instead of in messages. */
const LARGE_BYTES = 32 * 1024
/** Bytes of a value at most. */
const MAX_BYTES = 2 ** 30

function isShared({ buffer }: Uint8Array): boolean {
  return buffer instanceof SharedArrayBuffer
}

function isLarge(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && (value.byteLength > LARGE_BYTES || isShared(value))
}

function checkSize(b: BucketDefinition, key: string, { byteLength }: Uint8Array): void {
  if (byteLength > MAX_BYTES)
    throw new FusionizeError(
      'PAYLOAD_TOO_LARGE',
      `bucket '${b.name}': the object '${key}' has ${byteLength} bytes, and an object has ${MAX_BYTES} at most; put it in parts`,
      { bucket: b.name, key, bytes: byteLength, maxBytes: MAX_BYTES },
    )
}

/** A stored value as a task may have it. */
function given({ value }: Stored): unknown {
  return value instanceof Uint8Array && isShared(value) ? value : copy(value)
}

/** A stored value as it leaves the sandbox. */
function outgoing(router: Router, value: unknown): Deliverable {
  return isLarge(value) && laterOf(router) === undefined ? transportOf(router).share(value) : encode(value)
}

function same(a: Stored, b: Stored): boolean {
  const [x, y] = [encode(a.value), encode(b.value)]
  if (!(x instanceof Uint8Array && y instanceof Uint8Array)) return x === y
  return x.length === y.length && Buffer.compare(x, y) === 0
}

function delivered({ key, session, group }: ObjectMeta, value: unknown): unknown {
  return group === undefined ? { key, value, session } : { key, value, session, group }
}
