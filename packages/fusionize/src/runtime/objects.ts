import type { SourcePromise } from '../bucket.js'
import type { BucketDefinition } from '../definition.js'
import { FusionizeError } from '../errors.js'
import { spanId } from '../record.js'
import type { Trigger } from '../triggers/custom.js'
import { putIdOf } from '../triggers/put-id.js'
import { isFusible, Shard } from '../triggers/shard.js'
import type { Firing, ObjectMeta, StepResult } from '../triggers/types.js'
import { spanCode } from './calls.js'
import { type DeliveryHead, encodeDelivery, inputOf, shapeOf } from './delivery.js'
import { current, type Frame } from './frames.js'
import type { Lease, Leased } from './lease.js'
import type { BucketOp, Outcome, Payload } from './protocol.js'
import type { Router } from './router.js'
import { leave, startOrHold } from './run.js'
import { copiedBytes, copy, encode, sizeOf } from './wire.js'
import { errorFromWire } from './wire-errors.js'

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
  const ordinal = frame.nextPut()
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
  return frame.run.router.input(found)
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
  frame.nameSource(b.name, name, tell)
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
  const id = putIdOf(frame.invocation, frame.nextPut())
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
    const outcome: Outcome = await run.router.bucket(op)
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
  const payload = encode(value)
  run.notePut(frame.span, b.name, sizeOf(payload))
  await ask(frame, {
    bucket: b.name,
    session,
    op: 'put',
    key,
    id: putId(frame, key, ordinal),
    ...(group !== undefined && { group }),
    source: frame.sourceOf(b.name),
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
  if (lease === undefined || !lease.open || !router.fuses(b.name)) return undefined
  let shard = router.shards.get(b.name) as LocalShard | undefined
  if (shard === undefined) {
    shard = new LocalShard(b, router)
    router.shards.set(b.name, shard)
  }
  return shard.usable ? shard : undefined
}

/** A fused bucket: evaluated in the function itself, for the sessions that are leased to it. */
class LocalShard implements Leased {
  readonly usable: boolean
  private readonly shard: Shard<Stored>
  private timer: { atMs: number; cancel(): void } | undefined

  constructor(
    private readonly b: BucketDefinition,
    private readonly router: Router,
  ) {
    this.usable = router.everything || isFusible(b.triggers)
    this.shard = new Shard(b.name, b.triggers, same, router.info.dev)
  }

  put(frame: Frame, key: string, value: unknown, group: string | undefined, ordinal: number, at: number): void {
    const { session, run } = frame
    const stored: Stored = { value: copy(value), bytes: copiedBytes }
    const source = frame.sourceOf(this.b.name)
    const meta: ObjectMeta = {
      key,
      seq: 0,
      putId: putId(frame, key, ordinal),
      session,
      hash: '',
      bytes: stored.bytes,
      source,
    }
    if (group !== undefined) meta.group = group
    run.notePut(frame.span, this.b.name, stored.bytes)
    const { result, deliveries } = this.shard.put(meta, stored, this.shard.machine.timed ? Date.now() : 0)
    if (result.error) throw result.error
    if (result.outcome === 'duplicate') return
    const lease = this.use(frame)
    lease.note(() => this.putOp(frame, meta, stored, at))
    if (lease.result === this.b.name) {
      lease.result = undefined
      this.router.result(session, encode(stored.value))
    }
    this.report(result)
    for (const { firing, values } of deliveries) this.fire(frame, firing, values, at)
  }

  get(session: string, key: string): unknown {
    return copy(this.shard.get(session, key)?.value)
  }

  declare(frame: Frame, id: string, declared: { keys?: string[]; sources?: string[] }): void {
    const { session } = frame
    const { result, deliveries } = this.shard.step({ kind: 'declare', session, id, ...declared })
    if (result.error) throw result.error
    this.use(frame).note(() => ({ bucket: this.b.name, session, op: 'declare', id, ...declared }))
    for (const { firing, values } of deliveries) this.fire(frame, firing, values, performance.now())
  }

  tellSource(frame: Frame, kind: 'sourceDone' | 'sourceFailed', source: string): void {
    const { session } = frame
    const { deliveries } = this.shard.step({ kind, session, source })
    this.use(frame).note(() => ({ bucket: this.b.name, session, op: kind, source }))
    for (const { firing, values } of deliveries) this.fire(frame, firing, values, performance.now())
  }

  /** The end of the session as far as this bucket goes. @returns false when it made work */
  end(session: string): boolean {
    return this.tellAll({ kind: 'sessionEnd', session }, session)
  }

  drop(session: string): void {
    this.shard.drop(session)
  }

  private use(frame: Frame): Lease {
    const lease = frame.run.lease as Lease
    lease.shards.add(this)
    return lease
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
    if (definition === undefined || link?.send !== 'inline' || firing.scope === '' || firing.incomplete) {
      if (run.lease) run.lease.spread = true
      leave(frame, this.hand(firing, values, at, frame.session, frame))
      return
    }
    const bytes = values.reduce((sum, value) => sum + value.bytes, 0)
    const span = run.spans.open(frame.span, link.name, spanCode.send, bytes)
    const fired = this.firedOf(firing, bytes)
    startOrHold(frame, {
      id: firing.id,
      definition,
      span,
      begin: () => {
        run.noteFiring(span, fired, performance.now() - at)
        return inputOf(
          this.shapeOf(firing),
          firing.objects.map((meta, i) => delivered(meta, copy(values[i]?.value))),
        )
      },
      send: () => ({
        id: firing.id,
        session: frame.session,
        function: run.router.function,
        task: firing.task,
        input: this.textOf(firing, values, at),
        trace: run.request.trace,
        parent: spanId(run.spanId, span),
        setup: run.router.info.setup,
      }),
    })
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

  private textOf(firing: Firing, values: readonly Stored[], at: number): string {
    const bytes = values.reduce((sum, value) => sum + value.bytes, 0)
    const head: DeliveryHead = {
      fired: this.firedOf(firing, bytes),
      at: performance.timeOrigin + at,
      ...this.shapeOf(firing),
    }
    return encodeDelivery(
      head,
      firing.objects,
      values.map(({ value }) => encode(value)),
    )
  }

  private firedOf({ id, trigger, objects }: Firing, bytes: number): DeliveryHead['fired'] {
    return { bucket: this.b.name, trigger, id, objects: objects.length, bytes }
  }

  private shapeOf({ trigger, incomplete }: Firing): { one: boolean; keys: boolean } {
    return shapeOf(this.b.triggers[trigger]?.spec as Trigger, incomplete)
  }

  private putOp(frame: Frame, meta: ObjectMeta, stored: Stored, at: number): BucketOp {
    return {
      bucket: this.b.name,
      session: meta.session,
      op: 'put',
      key: meta.key,
      id: meta.putId,
      ...(meta.group !== undefined && { group: meta.group }),
      source: meta.source as string,
      at: performance.timeOrigin + at,
      value: encode(stored.value),
      trace: frame.run.request.trace,
      parent: spanId(frame.run.spanId, frame.span),
    }
  }

  /** What an event did besides firing. */
  private report(result: StepResult): void {
    const { router, b } = this
    for (const { source, session } of result.cancelled) router.cancelSource(session, source)
    for (const { trigger, error } of result.failures)
      router.warn(`bucket '${b.name}': its trigger ${trigger} failed`, error)
    for (const { session, trigger, objects, missing } of result.discarded)
      router.warn(
        `bucket '${b.name}', session '${session}': trigger ${trigger} never fired; discarded ${objects.length} objects` +
          (missing.length > 0 ? `, missing ${missing.slice(0, 10).join(', ')}` : ''),
      )
    if (result.wakeMs !== undefined) this.wake(result.wakeMs)
  }

  /** For buckets with a clock, which only tasks outside a function evaluate here. */
  private wake(atMs: number): void {
    if (this.timer && this.timer.atMs <= atMs) return
    this.timer?.cancel()
    const cancel = this.router.later(Math.max(0, atMs - Date.now()), () => {
      this.timer = undefined
      this.tellAll({ kind: 'time', nowMs: Math.max(Date.now(), atMs) }, '')
    })
    this.timer = { atMs, cancel }
  }
}

function same(a: Stored, b: Stored): boolean {
  const [x, y] = [encode(a.value), encode(b.value)]
  if (!(x instanceof Uint8Array && y instanceof Uint8Array)) return x === y
  return x.length === y.length && Buffer.compare(x, y) === 0
}

function delivered({ key, session, group }: ObjectMeta, value: unknown): unknown {
  return group === undefined ? { key, value, session } : { key, value, session, group }
}
