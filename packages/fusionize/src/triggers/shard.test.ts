import { describe, expect, it } from 'vitest'
import { bySet, dynamicJoin, immediate } from './constructors.js'
import type { Trigger } from './custom.js'
import { Shard } from './shard.js'
import type { ObjectMeta } from './types.js'

function shardOf(...triggers: Trigger[]): Shard<string> {
  return new Shard(
    'drafts',
    triggers.map((spec) => ({ spec, task: { name: 'review' } })),
    (a, b) => a === b,
  )
}

let puts = 0
function put(shard: Shard<string>, key: string, value: string) {
  const meta: ObjectMeta = {
    key,
    seq: 0,
    putId: `p${puts++}`,
    session: 's',
    hash: '',
    bytes: value.length,
    source: 'i',
  }
  return shard.put(meta, value, 0)
}

describe('objects of which a trigger delivered the keys', () => {
  it('can be read until their session ends', () => {
    const shard = shardOf(bySet(['a', 'b'], { delivers: 'keys' }))
    put(shard, 'a', '1')
    const fired = put(shard, 'b', '2')
    expect(fired.deliveries).toHaveLength(1)
    expect(fired.released).toEqual([])
    expect([shard.get('s', 'a'), shard.get('s', 'b')]).toEqual(['1', '2'])
    expect(shard.step({ kind: 'sessionEnd', session: 's' })).toMatchObject({
      result: { ended: true },
      released: ['1', '2'],
    })
    expect(shard.get('s', 'a')).toBeUndefined()
  })

  it('give way to a new object of their key', () => {
    const shard = shardOf(bySet(['a', 'b'], { delivers: 'keys' }))
    put(shard, 'a', '1')
    put(shard, 'b', '2')
    const again = put(shard, 'a', '3')
    expect(again).toMatchObject({ result: { outcome: 'accepted' }, released: ['1'] })
    expect(shard.get('s', 'a')).toBe('3')
    expect(shard.step({ kind: 'sessionEnd', session: 's' }).released.toSorted()).toEqual(['2', '3'])
  })

  it('are released once, whatever other triggers still hold them', () => {
    const shard = shardOf(bySet(['a', 'b'], { delivers: 'keys' }), dynamicJoin(), immediate({ delivers: 'keys' }))
    put(shard, 'a', '1')
    put(shard, 'b', '2')
    expect(put(shard, 'a', '1').result.outcome).toBe('duplicate')
    const joined = shard.step({ kind: 'declare', session: 's', id: 'd', keys: ['b', 'a'] })
    expect(joined.deliveries.map(({ values }) => values)).toEqual([['2', '1']])
    const ended = shard.step({ kind: 'sessionEnd', session: 's' })
    expect([...joined.released, ...ended.released].toSorted()).toEqual(['1', '2'])
  })

  it('are there after a snapshot, and go with a session that moves', () => {
    const before = shardOf(bySet(['a', 'b'], { delivers: 'keys' }))
    put(before, 'a', '1')
    put(before, 'b', '2')
    put(before, 'b', '4')
    const after = shardOf(bySet(['a', 'b'], { delivers: 'keys' }))
    after.restore(JSON.parse(JSON.stringify(before.state)), [...before.objects()])
    expect([after.get('s', 'a'), after.get('s', 'b')]).toEqual(['1', '4'])
    expect(after.drop('s').toSorted()).toEqual(['1', '4'])
    expect(after.get('s', 'a')).toBeUndefined()
  })

  it('are not kept where whole objects were delivered, or over sessions', () => {
    const shard = shardOf(bySet(['a', 'b']))
    put(shard, 'a', '1')
    expect(put(shard, 'b', '2').released).toEqual(['1', '2'])
    expect(shard.get('s', 'a')).toBeUndefined()
  })
})
