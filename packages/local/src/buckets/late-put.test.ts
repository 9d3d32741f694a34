import { bucket, byBatchSize, task } from 'fusionize'
import { bucketOf } from 'fusionize/buckets'
import { expect, it } from 'vitest'
import type { Send } from '../engine/engine.js'
import type { BucketHead, Sandbox } from '../engine/sandbox.js'
import type { BucketEvent } from './events.js'
import { type BucketPorts, Buckets } from './index.js'
import type { LargeObjects } from './large.js'

/** A node's buckets with a clock that the test sets; its timers never come first. */
function nodeWith(definition: object) {
  let nowMs = 1_000_000_000_000_000
  const fired: string[] = []
  const events: BucketEvent[] = []
  const ports = {
    append: async (more: BucketEvent[]) => void events.push(...more),
    accept: async (sends: Send[]) => void fired.push(...sends.map(({ id }) => id)),
    isOpen: () => true,
    log: () => {},
    currentSetup: () => 'setup',
    now: () => nowMs,
    large: {
      store: { charge() {}, discharge() {} },
      intern: (value: unknown) => ({ value }),
      retain: () => {},
      release: () => {},
    } as unknown as LargeObjects,
  } as unknown as BucketPorts
  const buckets = new Buckets(ports, false)
  buckets.define([bucketOf(definition) as NonNullable<ReturnType<typeof bucketOf>>])
  const sandbox = { pool: { deployment: { id: 'setup' }, fused: new Set() } } as unknown as Sandbox
  return {
    buckets,
    fired,
    events,
    pass: (ms: number) => {
      nowMs += ms
    },
    put: (key: string, value: string, id = key) =>
      new Promise<unknown>((answer) => {
        const rest = { source: 's', trace: '', parent: '', at: nowMs }
        buckets.op(sandbox, { bucket: 'late', session: 's', op: 'put', key, id, ...rest } as BucketHead, value, answer)
      }),
  }
}

it.each([
  ['repeats one that is known', 'a', '"1"', 'a'],
  ['takes a key that it frees', 'a', '"2"', 'other'],
])(
  'a batch whose time came is fired, and journalled, though the put that comes before the timer %s',
  async (_what, key, value, id) => {
    const consume = task('consume', async (_: unknown[] & readonly never[]) => {})
    const node = nodeWith(bucket<number>('late').on(byBatchSize(10, { maxWaitMs: 50 }), consume as never))
    await node.put('a', '"1"')
    node.pass(60)
    await node.put(key, value, id)
    node.buckets.close()
    expect(node.fired).toHaveLength(1)
    expect(node.events.map(({ change }) => change.op).slice(0, 2)).toEqual(['put', 'time'])
  },
)
