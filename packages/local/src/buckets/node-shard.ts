import {
  type BucketDefinition,
  type BucketState,
  changeShard,
  type Deliverable,
  type Delivery,
  type Firing,
  flushesAtEnd,
  isRef,
  type ObjectMeta,
  Shard,
  type Stepped,
  type StepResult,
  shapeOf,
  sizeOf,
} from 'fusionize/buckets'
import type { BucketChange } from './events.js'

type Saved = BucketChange & { op: 'value' }

/** A bucket on the node: what sandboxes do not evaluate themselves is evaluated here. */
export class NodeShard {
  readonly shard: Shard<Deliverable>
  /** The end of a session may make it fire. */
  readonly flushes: boolean
  /** Size of the live objects. */
  bytes = 0
  /** Of these, what is in the state itself and not in the object store. */
  small = 0
  /** When the machine wants to be told the time, epoch ms. */
  wakeMs: number | undefined
  /** Arrival of live objects, epoch ms, by session and number. */
  private readonly arrivals = new Map<string, number>()
  /** A saved state whose values are still being read. */
  private saved: { state: BucketState; values: Saved[] } | undefined

  constructor(
    readonly definition: Pick<BucketDefinition, 'name' | 'triggers'>,
    /** Whether a live value and a new one have the same bytes. */
    same: (live: Deliverable, value: Deliverable) => boolean,
    checkPurity: boolean,
  ) {
    this.flushes = flushesAtEnd(definition.triggers)
    this.shard = new Shard(definition.name, definition.triggers, same, checkPurity)
  }

  get name(): string {
    return this.definition.name
  }

  /** What the firing starts gets keys, and no values. */
  deliversKeys({ trigger, incomplete }: Firing): boolean {
    const spec = this.definition.triggers[trigger]?.spec
    return spec !== undefined && shapeOf(spec, incomplete).keys
  }

  /** Applies one change; the same changes give the same state and firings. */
  apply(change: BucketChange): Stepped<Deliverable> {
    const stepped = this.step(change)
    for (const value of stepped.released) this.count(value, -1)
    for (const { session, seq } of stepped.result.released) this.arrivals.delete(`${session}\n${seq}`)
    this.wakeMs = stepped.result.wakeMs
    return stepped
  }

  private step(change: BucketChange): Stepped<Deliverable> {
    if (change.op !== 'value') this.settle()
    switch (change.op) {
      case 'state':
        this.saved = { state: JSON.parse(change.state), values: [] }
        return nothing
      case 'value':
        this.saved?.values.push(change)
        return nothing
      case 'put':
        return this.put(change)
      default:
        return changeShard(this.shard, change)
    }
  }

  private put(change: BucketChange & { op: 'put' }): Stepped<Deliverable> {
    const { session, atMs, value } = change
    let object: ObjectMeta | undefined
    const stepped = changeShard(this.shard, change, (meta) => {
      object = meta
    })
    if (stepped.result.outcome === 'accepted') {
      this.count(value, 1)
      this.arrivals.set(`${session}\n${object?.seq}`, atMs)
    }
    return stepped
  }

  /** The end of a journal: puts a saved state in place. */
  settle(): void {
    if (this.saved === undefined) return
    this.shard.restore(this.saved.state, this.saved.values)
    for (const { value } of this.saved.values) this.count(value, 1)
    this.saved = undefined
  }

  private count(value: Deliverable, sign: 1 | -1): void {
    const bytes = sizeOf(value)
    this.bytes += sign * bytes
    if (!isRef(value)) this.small += sign * bytes
  }

  /** Age in ms of the oldest live object whose arrival is known: a snapshot does not have it. */
  oldestMs(nowMs: number): number | null {
    let oldest = Number.POSITIVE_INFINITY
    for (const atMs of this.arrivals.values()) if (atMs < oldest) oldest = atMs
    return oldest === Number.POSITIVE_INFINITY ? null : Math.max(0, nowMs - oldest)
  }

  /** Changes that make a shard equal to this one. */
  *snapshot(): Generator<BucketChange> {
    yield { op: 'state', state: JSON.stringify(this.shard.state) }
    for (const { session, key, seq, value } of this.shard.objects()) yield { op: 'value', session, key, seq, value }
  }
}

const nothing: Stepped<Deliverable> = {
  result: {
    outcome: 'accepted',
    error: undefined,
    firings: [],
    released: [],
    cancelled: [],
    discarded: [],
    failures: [],
    ended: false,
    wakeMs: undefined,
  } satisfies StepResult,
  deliveries: [] as Delivery<Deliverable>[],
  released: [],
}
