import type { FusionizeError } from 'fusionize'
import type { StepResult } from 'fusionize/buckets'
import {
  type BucketDefinition,
  changeShard,
  type Deliverable,
  type Delivery,
  isRef,
  type ObjectMeta,
  Shard,
  type ShardChange,
  type Stepped,
} from 'fusionize/buckets'
import type { Change } from './changes.js'
import { same } from './digest.js'
import { fromSaved, type Saved, savedOf } from './saved-record.js'

/** What one change did. */
export interface Applied {
  /** It was refused, and did nothing. */
  error: FusionizeError | undefined
  /** The record is another now. */
  changed: boolean
  /** It took a new object. */
  accepted: boolean
  /** By each step of the machine: the time, when it was due, comes before a put. */
  results: readonly StepResult[]
  deliveries: readonly Delivery<Deliverable>[]
  /** Objects of the store that nothing here names any more. */
  unnamed: readonly string[]
  /** Of an end: nothing of the session is left. */
  ended: boolean
}

/** A bucket's machine with what it needs between two steps; as text it stands in the table. No clock, no chance, no I/O. */
export class BucketRecord {
  readonly #shard: Shard<Deliverable>
  /** Who needs each object of the store: the live object, deliveries that are not done. */
  readonly #refs = new Map<string, Set<string>>()
  /** Arrival of objects, epoch ms, by session and number. */
  readonly #arrivals = new Map<string, number>()
  /** When the machine wants to be told the time, epoch ms. */
  wakeMs: number | undefined
  /** When somebody will tell it, epoch ms. */
  armedMs: number | undefined

  /**
   * @param text what `text` gave; absent: a bucket that has never had anything
   * @throws {FusionizeError} `INVALID_CONFIG` when it belongs to other triggers
   */
  constructor(
    readonly definition: Pick<BucketDefinition, 'name' | 'triggers'>,
    text?: string,
  ) {
    this.#shard = new Shard(definition.name, definition.triggers, same)
    if (text === undefined) return
    const { state, values, refs = {}, wakeMs, armedMs } = JSON.parse(text) as Saved
    this.#shard.restore(
      state,
      values.map(([session, key, seq, value]) => ({ session, key, seq, value: fromSaved(value) })),
    )
    for (const [session, , seq, , atMs] of values)
      if (atMs !== undefined) this.#arrivals.set(`${session}\n${seq}`, atMs)
    for (const [ref, by] of Object.entries(refs)) this.#refs.set(ref, new Set(by))
    this.wakeMs = wakeMs
    this.armedMs = armedMs
  }

  /** @param sessions how many ended sessions it remembers at least */
  text(sessions = REMEMBERED): string {
    const { state } = this.#shard
    while (state.closed.recent.size > sessions)
      state.closed.recent.delete(state.closed.recent.keys().next().value ?? '')
    const values = [...this.#shard.objects()].map(({ session, key, seq, value }): Saved['values'][number] => [
      session,
      key,
      seq,
      savedOf(value),
      this.#arrivals.get(`${session}\n${seq}`),
    ])
    return JSON.stringify({
      state,
      values,
      ...(this.#refs.size > 0 && { refs: Object.fromEntries([...this.#refs].map(([ref, by]) => [ref, [...by]])) }),
      wakeMs: this.wakeMs,
      armedMs: this.armedMs,
    })
  }

  /** A live object, or one of which a trigger delivered the key. */
  get(session: string, key: string): Deliverable {
    return this.#shard.get(session, key)
  }

  /** Whether somebody needs all of these objects. */
  needs(refs: readonly string[]): boolean {
    return refs.every((ref) => this.#refs.has(ref))
  }

  /** Bytes of the values that stand in the record itself. */
  get inlineBytes(): number {
    let bytes = 0
    for (const { value } of this.#shard.objects()) if (!isRef(value)) bytes += value?.length ?? 0
    return bytes
  }

  /** The machine takes a change. */
  apply(change: Change): Applied {
    return 'refs' in change ? this.#keep(change) : this.#take(change)
  }

  #take(change: ShardChange): Applied {
    if (change.op === 'time' && !(this.wakeMs !== undefined && this.wakeMs <= change.nowMs))
      // It may have been put off: somebody must tell it then.
      return { ...nothing, changed: this.wakeMs !== undefined && (this.armedMs ?? 0) <= change.nowMs }
    const first = change.op === 'put' && this.wakeMs !== undefined && this.wakeMs <= change.atMs
    // An event of its own: the put may be refused, or known.
    const before = first ? this.#step({ op: 'time', nowMs: change.atMs }) : undefined
    const known = this.#knows(change)
    const stepped = this.#step(change)
    const { result } = stepped
    const all = before ? [before, stepped] : [stepped]
    const deliveries = all.flatMap((one) => one.deliveries)
    const accepted = change.op === 'put' && result.outcome === 'accepted'
    if (accepted) this.#name(change.value, LIVE)
    for (const { firing, values } of deliveries)
      if (!this.#deliversKeys(firing.trigger)) for (const value of values) this.#name(value, firing.id)
    const unnamed = all.flatMap((one) => this.#unname(one.released))
    if (change.op === 'put' && !accepted && isRef(change.value)) unnamed.push(change.value.ref)
    return {
      error: result.error,
      changed: before !== undefined || (result.error === undefined && !known),
      accepted,
      results: all.map((one) => one.result),
      deliveries,
      unnamed,
      ended: result.ended,
    }
  }

  /** Whether the put or declaration was taken before. */
  #knows(change: Change): boolean {
    if (change.op !== 'put' && change.op !== 'declare') return false
    const id = change.op === 'put' ? change.id : `declare\n${change.id}`
    return this.#shard.state.sessions.get(change.session)?.puts.has(id) ?? false
  }

  #step(change: ShardChange): Stepped<Deliverable> {
    let put: ObjectMeta | undefined
    const stepped = changeShard(this.#shard, change, (meta) => {
      put = meta
    })
    if (change.op === 'put') this.#arrivals.set(`${change.session}\n${put?.seq}`, change.atMs)
    this.wakeMs = stepped.result.wakeMs
    return stepped
  }

  #deliversKeys(trigger: number): boolean {
    return this.definition.triggers[trigger]?.spec.delivers === 'keys'
  }

  /** Objects that are gone stay gone. */
  #keep({ op, by, refs }: Change & { op: 'name' | 'release' }): Applied {
    const known = refs.filter((ref) => this.#refs.has(ref))
    const unnamed = op === 'release' ? known.flatMap((ref) => this.#less(ref, by)) : []
    if (op === 'name') for (const ref of known) this.#more(ref, by)
    return { ...nothing, changed: known.length > 0, unnamed }
  }

  #name(value: Deliverable, by: string): void {
    if (isRef(value)) this.#more(value.ref, by)
  }

  #more(ref: string, by: string): void {
    this.#refs.set(ref, new Set([...(this.#refs.get(ref) ?? []), by]))
  }

  #unname(values: readonly Deliverable[]): string[] {
    return values.flatMap((value) => (isRef(value) ? this.#less(value.ref, LIVE) : []))
  }

  #less(ref: string, by: string): string[] {
    const needed = this.#refs.get(ref)
    if (!needed?.delete(by) || needed.size > 0) return []
    this.#refs.delete(ref)
    return [ref]
  }
}

/**
 * Ended sessions that a bucket of the application remembers; whether a session has ended its own item says too. Fewer than the
 * machine would: they are written with every object.
 */
const REMEMBERED = 50

/** Who needs an object as long as it is live. */
const LIVE = 'live'

const nothing: Applied = {
  error: undefined,
  changed: false,
  accepted: false,
  results: [],
  deliveries: [],
  unnamed: [],
  ended: false,
}
