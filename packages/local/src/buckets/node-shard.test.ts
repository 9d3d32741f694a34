import { bucket, byBatchSize, bySet, byTime, type Trigger, task } from 'fusionize'
import { bucketOf } from 'fusionize/buckets'
import { describe, expect, it } from 'vitest'
import type { BucketChange } from './events.js'
import { NodeShard } from './node-shard.js'

const consume = task('consume', async (_: unknown[] & readonly never[]) => {})

function shardOf(name: string, trigger: Trigger): NodeShard {
  const definition = bucketOf(bucket<number>(name).on(trigger, consume as never))
  return new NodeShard(definition as NonNullable<typeof definition>, (a, b) => a === b, false)
}

function put(session: string, n: number, atMs: number): BucketChange {
  return { op: 'put', session, key: `k${n}`, id: `i${session}/k${n}#1`, source: 's', atMs, value: `"${n}"` }
}

describe('a bucket on the node', () => {
  it('counts what is live, and knows the age of the oldest', () => {
    const shard = shardOf('pairs', bySet(['k1', 'k2']))
    shard.apply(put('a', 1, 1000))
    expect(shard).toMatchObject({ bytes: 3, small: 3 })
    expect(shard.oldestMs(1500)).toBe(500)
    expect(shard.apply(put('a', 2, 1200)).deliveries).toHaveLength(1)
    expect(shard).toMatchObject({ bytes: 0, small: 0 })
    expect(shard.oldestMs(1500)).toBeNull()
  })

  it('is the same after a snapshot, and fires the same then', () => {
    const before = shardOf('batches', byBatchSize(3))
    before.apply(put('a', 1, 10))
    before.apply(put('b', 2, 20))
    const after = shardOf('batches', byBatchSize(3))
    for (const change of before.snapshot()) after.apply(JSON.parse(JSON.stringify(change)))
    after.settle()
    const [one, two] = [before.apply(put('c', 3, 30)), after.apply(put('c', 3, 30))]
    expect(two.deliveries).toEqual(one.deliveries)
    expect(two.deliveries[0]?.values).toEqual(['"1"', '"2"', '"3"'])
  })

  it('stays flat over a stream of a million objects', () => {
    const shard = shardOf('stream', byTime(1000))
    const heap = () => {
      global.gc?.()
      return process.memoryUsage().heapUsed
    }
    let delivered = 0
    let middle = 0
    for (let n = 0; n < 1_000_000; n++) {
      // A session of its own for every ten, as requests have; a window for every thousand.
      const { deliveries } = shard.apply(put(`s${Math.floor(n / 10)}`, n, n))
      for (const { values } of deliveries) delivered += values.length
      if (n % 10 === 9) shard.apply({ op: 'end', session: `s${Math.floor(n / 10)}` })
      if (n === 500_000) middle = heap()
    }
    expect(delivered).toBe(999_000)
    expect(shard.bytes).toBeLessThan(10_000)
    // What is left are the ids of the sessions that ended last.
    expect(heap() - middle).toBeLessThan(60 * 2 ** 20)
  })
})
