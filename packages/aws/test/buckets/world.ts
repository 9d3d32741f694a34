import { type BucketDefinition, bucketOf } from 'fusionize/buckets'
import type { BucketOp, HeldSend, Outcome } from 'fusionize/runtime'
import type { ChangingTable } from '../../src/runtime/buckets/changing-table.js'
import { type BucketPorts, Buckets, type TimeMessage } from '../../src/runtime/buckets/index.js'
import type { RemovingStore } from '../../src/runtime/object-store.js'
import { FakeTable } from './fake-table.js'

/** Objects in memory. */
export class FakeStore implements RemovingStore {
  readonly objects = new Map<string, Buffer>()

  async put(key: string, data: string | Uint8Array): Promise<void> {
    this.objects.set(key, Buffer.from(data))
  }

  async get(key: string): Promise<Buffer> {
    const found = this.objects.get(key)
    if (found) return found
    throw new Error(`there is no ${key}`)
  }

  async remove(key: string): Promise<void> {
    this.objects.delete(key)
  }
}

/** What an app of buckets needs of AWS, in memory, with a clock that is set. */
export class World {
  readonly table = new FakeTable()
  readonly store = new FakeStore()
  readonly handed: HeldSend[] = []
  readonly buried: HeldSend[] = []
  readonly fired: string[] = []
  readonly cancelled: string[] = []
  readonly messages: { message: TimeMessage; delayS: number }[] = []
  readonly logs: string[] = []
  now = 1_700_000_000_000
  #ids = 0

  constructor(readonly definitions: readonly BucketDefinition[]) {}

  /** @param ms by which the clock goes on */
  pass(ms: number): void {
    this.now += ms
  }

  /** A sandbox: its own memory, the same table. */
  sandbox(over: Partial<BucketPorts> & { table?: ChangingTable } = {}): Buckets {
    return new Buckets({
      function: 'f',
      setup: 's',
      definitions: this.definitions,
      table: this.table,
      store: this.store,
      handOn: async (send) => void this.handed.push(send),
      bury: async (send) => void this.buried.push(send),
      cancel: (run) => void this.cancelled.push(run),
      fired: (ids) => void this.fired.push(...ids),
      later: async (message, delayS) => void this.messages.push({ message, delayS }),
      longestMs: 60_000,
      now: () => this.now,
      random: () => 0.5,
      pause: async (ms) => this.pass(ms),
      newId: () => `id${++this.#ids}`,
      log: (level, session, message) => void this.logs.push(`${level} ${session}: ${message}`),
      ...over,
    })
  }
}

export function definitionsOf(...buckets: object[]): BucketDefinition[] {
  return buckets.map((one) => bucketOf(one) as BucketDefinition)
}

/** A put as the fusion handler asks for it. */
export function put(bucket: string, session: string, key: string, value: unknown, id = `${session}/${key}`): BucketOp {
  return {
    ...{ bucket, session, op: 'put', key, id, source: 'src', at: 1 },
    ...{ value: value instanceof Uint8Array ? value : JSON.stringify(value), trace: 't', parent: 'p' },
  } as BucketOp
}

export function outputOf(outcome: Outcome): unknown {
  if (!outcome.ok) throw new Error(`${outcome.error.code}: ${outcome.error.message}`)
  return outcome.output
}

/** Keys that the firing delivers. */
export function keysOf({ input }: HeldSend): string[] {
  const { items } = JSON.parse(String(input).slice(1)) as { items: [key: string][] }
  return items.map(([key]) => key)
}
