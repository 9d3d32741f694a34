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
  }

  /** Takes a new object. `meta.hash` is set here: values are compared only when they must be. */
  put(meta: ObjectMeta, value: V, atMs: number): Stepped<V> {
    const live = this.state.sessions.get(meta.session)?.live.get(meta.key)
    if (live !== undefined) {
      const known = this.values.get(meta.session)?.get(live.seq)
      meta.hash = known !== undefined && this.same(known, value) ? live.hash : `${live.hash}'`
    }
    const result = this.machine.step(this.state, { kind: 'put', object: meta, atMs })
    if (result.outcome === 'accepted') this.keep(meta.session, meta.seq, value)
    return this.resolve(result)
  }

  step(event: Exclude<BucketEvent, { kind: 'put' }>): Stepped<V> {
    return this.resolve(this.machine.step(this.state, event))
  }

  get(session: string, key: string): V | undefined {
    const live = this.state.sessions.get(session)?.live.get(key)
    return live && this.values.get(session)?.get(live.seq)
  }

  /** Forgets a session without ending it: its state lives elsewhere from now on. @returns its values */
  drop(session: string): V[] {
    const values = [...(this.values.get(session)?.values() ?? [])]
    this.values.delete(session)
    this.state.sessions.delete(session)
    return values
  }

  /** Takes a saved state with its values. @throws {FusionizeError} `INVALID_CONFIG` when it belongs to other triggers */
  restore(saved: BucketState, values: Iterable<{ session: string; seq: number; value: V }>): void {
    this.state = this.machine.restore(saved)
    for (const { session, seq, value } of values) this.keep(session, seq, value)
  }

  /** Every live object, oldest of its session first. */
  *objects(): Generator<{ session: string; key: string; seq: number; value: V }> {
    for (const [session, { live }] of this.state.sessions)
      for (const [key, { seq }] of live) {
        const value = this.values.get(session)?.get(seq)
        if (value !== undefined) yield { session, key, seq, value }
      }
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
    return { firing, values: firing.objects.map(({ session, seq }) => this.values.get(session)?.get(seq) as V) }
  }

  private take(released: StepResult['released']): V[] {
    const taken: V[] = []
    for (const { session, seq } of released) {
      const values = this.values.get(session)
      if (values === undefined) continue
      if (values.has(seq)) taken.push(values.get(seq) as V)
      values.delete(seq)
      if (values.size === 0) this.values.delete(session)
    }
    return taken
  }
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
