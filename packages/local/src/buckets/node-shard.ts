import {
  type BucketDefinition,
  type BucketState,
  type Delivery,
  Shard,
  type Stepped,
  type StepResult,
} from 'fusionize/buckets'
import type { Payload } from 'fusionize/runtime'
import type { BucketChange } from './events.js'

/** A bucket on the node: what sandboxes do not evaluate themselves is evaluated here. */
export class NodeShard {
  readonly shard: Shard<Payload>
  bytes = 0
  /** When the machine wants to be told the time, epoch ms. */
  wakeMs: number | undefined
  /** A saved state whose values are still being read. */
  private saved: { state: BucketState; values: { session: string; seq: number; value: Payload }[] } | undefined

  constructor(
    readonly definition: Pick<BucketDefinition, 'name' | 'triggers'>,
    checkPurity: boolean,
  ) {
    this.shard = new Shard(definition.name, definition.triggers, same, checkPurity)
  }

  get name(): string {
    return this.definition.name
  }

  /** Applies one change; the same changes give the same state and firings. */
  apply(change: BucketChange): Stepped<Payload> {
    const stepped = this.step(change)
    for (const value of stepped.released) this.bytes -= sizeOf(value)
    this.wakeMs = stepped.result.wakeMs
    return stepped
  }

  private step(change: BucketChange): Stepped<Payload> {
    if (change.op !== 'value') this.settle()
    switch (change.op) {
      case 'put': {
        const { session, key, id: putId, group, source, atMs, value } = change
        const bytes = sizeOf(value)
        const meta = { key, seq: 0, putId, session, hash: '', bytes, source, ...(group !== undefined && { group }) }
        const stepped = this.shard.put(meta, value, atMs)
        if (stepped.result.outcome === 'accepted') this.bytes += bytes
        return stepped
      }
      case 'declare': {
        const { session, id, keys, sources } = change
        return this.shard.step({
          kind: 'declare',
          session,
          id,
          ...(keys && { keys: [...keys] }),
          ...(sources && { sources: [...sources] }),
        })
      }
      case 'sourceDone':
      case 'sourceFailed':
        return this.shard.step({ kind: change.op, session: change.session, source: change.source })
      case 'time':
        return this.shard.step({ kind: 'time', nowMs: change.nowMs })
      case 'end':
        return this.shard.step({ kind: 'sessionEnd', session: change.session })
      case 'flush':
        return this.shard.step({ kind: 'flush' })
      case 'state':
        this.saved = { state: JSON.parse(change.state), values: [] }
        return nothing
      case 'value':
        this.saved?.values.push(change)
        return nothing
    }
  }

  /** The end of a journal: puts a saved state in place. */
  settle(): void {
    if (this.saved === undefined) return
    this.shard.restore(this.saved.state, this.saved.values)
    this.bytes = this.saved.values.reduce((sum, { value }) => sum + sizeOf(value), 0)
    this.saved = undefined
  }

  /** Changes that make a shard equal to this one. */
  *snapshot(): Generator<BucketChange> {
    yield { op: 'state', state: JSON.stringify(this.shard.state) }
    for (const { session, key, seq, value } of this.shard.objects()) yield { op: 'value', session, key, seq, value }
  }
}

const nothing: Stepped<Payload> = {
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
  deliveries: [] as Delivery<Payload>[],
  released: [],
}

export function sizeOf(value: Payload): number {
  return value === undefined ? 0 : value.length
}

function same(a: Payload, b: Payload): boolean {
  if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return a === b
  return a.length === b.length && Buffer.compare(a, b) === 0
}
