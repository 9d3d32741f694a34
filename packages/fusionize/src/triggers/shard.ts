import { type BucketMachine, createBucketMachine } from './bucket-machine.js'
import type { BucketState } from './bucket-state.js'
import type { Trigger } from './custom.js'
import type { BucketEvent, Firing, ObjectMeta, StepResult } from './types.js'

/** A firing with the values of its objects, in their order. */
export interface Delivery<V> {
  firing: Firing
  values: readonly V[]
}

/** What one event did, with values. */
export interface Stepped<V> {
  result: StepResult
  deliveries: readonly Delivery<V>[]
  /** Values of the objects that were released: nothing of the bucket refers to them any more. */
  released: readonly V[]
}

const none: never[] = []

/** A bucket at work: its machine, its state and the values of its live objects. The same code wherever a bucket is evaluated. */
export class Shard<V> {
  readonly machine: BucketMachine
  state: BucketState
  /** By session and sequence number. */
  private readonly values = new Map<string, Map<number, V>>()
  /** Objects of which a trigger of their session delivered only the keys: no more live, but read by whoever got these. By session and key. */
  private readonly readable = new Map<string, Map<string, number>>()
  /** Triggers that deliver keys. */
  private readonly deliverKeys: readonly boolean[]

  /**
   * @param same whether two values have the same bytes; asked only when a live key is put again
   * @param checkPurity see `BucketMachineOptions`
   */
  constructor(
    readonly name: string,
    triggers: readonly { spec: Trigger; task: { name: string } }[],
    private readonly same: (a: V, b: V) => boolean,
    checkPurity = false,
  ) {
    this.machine = createBucketMachine(
      name,
      triggers.map(({ spec, task }) => ({ spec, task: task.name })),
      { checkPurity },
    )
    this.state = this.machine.init()
    this.deliverKeys = triggers.map(({ spec }) => spec.delivers === 'keys')
  }

  /** Takes a new object. `meta.hash` is set here: values are compared only when they must be. */
  put(meta: ObjectMeta, value: V, atMs: number): Stepped<V> {
    const live = this.state.sessions.get(meta.session)?.live.get(meta.key)
    if (live !== undefined) {
      const known = this.values.get(meta.session)?.get(live.seq)
      meta.hash = known !== undefined && this.same(known, value) ? live.hash : `${live.hash}'`
    }
    const result = this.machine.step(this.state, { kind: 'put', object: meta, atMs })
    if (result.outcome !== 'accepted') return this.resolve(result)
    const replaced = this.forget(meta.session, meta.key)
    this.keep(meta.session, meta.seq, value)
    return releasing(this.resolve(result), replaced)
  }

  step(event: Exclude<BucketEvent, { kind: 'put' }>): Stepped<V> {
    const result = this.machine.step(this.state, event)
    const stepped = this.resolve(result)
    return event.kind === 'sessionEnd' && result.ended ? releasing(stepped, this.forgetAll(event.session)) : stepped
  }

  /** A live object, or one of which a trigger of its session delivered the key. */
  get(session: string, key: string): V | undefined {
    const seq = this.state.sessions.get(session)?.live.get(key)?.seq ?? this.readable.get(session)?.get(key)
    return seq === undefined ? undefined : this.values.get(session)?.get(seq)
  }

  /** Forgets a session without ending it: its state lives elsewhere from now on. @returns its values */
  drop(session: string): V[] {
    const values = [...(this.values.get(session)?.values() ?? [])]
    this.values.delete(session)
    this.readable.delete(session)
    this.state.sessions.delete(session)
    return values
  }

  /** Takes a saved state with its values. @throws {FusionizeError} `INVALID_CONFIG` when it belongs to other triggers */
  restore(saved: BucketState, values: Iterable<{ session: string; key: string; seq: number; value: V }>): void {
    this.state = this.machine.restore(saved)
    for (const { session, key, seq, value } of values) {
      this.keep(session, seq, value)
      if (this.state.sessions.get(session)?.live.get(key)?.seq !== seq) this.letRead(session, key, seq)
    }
  }

  /** Every object that can be read, live ones first, oldest of its session first. */
  *objects(): Generator<{ session: string; key: string; seq: number; value: V }> {
    for (const [session, { live }] of this.state.sessions)
      for (const [key, { seq }] of live) yield* this.object(session, key, seq)
    for (const [session, keys] of this.readable) for (const [key, seq] of keys) yield* this.object(session, key, seq)
  }

  private *object(session: string, key: string, seq: number) {
    const value = this.values.get(session)?.get(seq)
    if (value !== undefined) yield { session, key, seq, value }
  }

  private keep(session: string, seq: number, value: V): void {
    const known = this.values.get(session)
    if (known) known.set(seq, value)
    else this.values.set(session, new Map([[seq, value]]))
  }

  private resolve(result: StepResult): Stepped<V> {
    const { firings, released } = result
    const deliveries = firings.length === 0 ? none : firings.map((firing) => this.deliver(firing))
    return { result, deliveries, released: released.length === 0 ? none : this.take(released) }
  }

  private deliver(firing: Firing): Delivery<V> {
    if (this.deliverKeys[firing.trigger] && firing.scope !== '')
      for (const { session, key, seq } of firing.objects) this.letRead(session, key, seq)
    return { firing, values: firing.objects.map(({ session, seq }) => this.values.get(session)?.get(seq) as V) }
  }

  private letRead(session: string, key: string, seq: number): void {
    const known = this.readable.get(session)
    if (known) known.set(key, seq)
    else this.readable.set(session, new Map([[key, seq]]))
  }

  /** A new object has the key. @returns the value that cannot be read any more */
  private forget(session: string, key: string): readonly V[] {
    const seq = this.readable.get(session)?.get(key)
    if (seq === undefined) return none
    this.readable.get(session)?.delete(key)
    // A live object of that key is one that is put again.
    return this.take([{ session, key, seq }])
  }

  private forgetAll(session: string): V[] {
    const keys = [...(this.readable.get(session) ?? [])]
    this.readable.delete(session)
    return this.take(keys.map(([key, seq]) => ({ session, key, seq })))
  }

  private take(released: readonly { session: string; key: string; seq: number }[]): V[] {
    const taken: V[] = []
    for (const { session, key, seq } of released) {
      const values = this.values.get(session)
      if (values === undefined || this.readable.get(session)?.get(key) === seq) continue
      if (values.has(seq)) taken.push(values.get(seq) as V)
      values.delete(seq)
      if (values.size === 0) this.values.delete(session)
    }
    return taken
  }
}

function releasing<V>(stepped: Stepped<V>, more: readonly V[]): Stepped<V> {
  return more.length === 0 ? stepped : { ...stepped, released: [...stepped.released, ...more] }
}

/** Whether the end of a session can make one of these triggers fire for the session itself, so that other buckets must not be closed before. */
export function flushesAtEnd(triggers: readonly { spec: Trigger }[]): boolean {
  return triggers.some(
    ({ spec }) =>
      spec.kind === 'custom' || (spec.kind === 'byBatchSize' && (spec.flush === true || spec.maxWaitMs !== undefined)),
  )
}

/** Whether a function may evaluate a bucket with these triggers itself: they need no clock, and only what one session puts. */
export function isFusible(triggers: readonly { spec: Trigger }[]): boolean {
  return triggers.every(({ spec }) => {
    if (spec.kind === 'byTime') return false
    if ('scope' in spec && spec.scope === 'application') return false
    return spec.kind !== 'byBatchSize' || spec.maxWaitMs === undefined
  })
}
