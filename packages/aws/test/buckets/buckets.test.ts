import { createHash } from 'node:crypto'
import { type BucketObject, bucket, byBatchSize, bySet, immediate, type Json, task } from 'fusionize'
import type { HeldSend, Outcome } from 'fusionize/runtime'
import { describe, expect, it } from 'vitest'
import type { From } from '../../src/runtime/buckets/index.js'
import { sessionKey } from '../../src/runtime/buckets/items.js'
import { definitionsOf, keysOf, outputOf, put, World } from './world.js'

const one = task('eat', async (_: BucketObject<Json>) => {})
const eat = task('eat', async (_: BucketObject<Json>[]) => {})
const rest = task('rest', async (_: BucketObject<Json>[]) => {})

const events = bucket('events').on(immediate(), one)
const parts = bucket('parts').on(bySet(['a', 'b'], { onIncomplete: rest }), eat)
const pairs = bucket('pairs').on(byBatchSize(2), eat)
const mixed = bucket('mixed').on(immediate(), one).on(byBatchSize(9), eat)
const definitions = definitionsOf(mixed, events, parts, pairs)

const run = (session: string) => ({ id: `root-${session}`, session, input: undefined })
const root: From = { kind: 'root', sent: false }
const sent: From = { kind: 'send' }

async function fired(world: World, ...sandboxes: { settled(): Promise<void> }[]) {
  for (const sandbox of sandboxes) await sandbox.settled()
  return world.handed.map((send) => ({ task: send.task, session: send.session, keys: keysOf(send) }))
}

describe('buckets in the table', () => {
  it('start the task of an immediate trigger with every new object', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    outputOf(await a.ask(put('events', 's', 'x', 1)))
    outputOf(await a.ask(put('events', 's', 'y', 2)))
    expect(await fired(world, a)).toEqual([
      { task: 'eat', session: 's', keys: ['x'] },
      { task: 'eat', session: 's', keys: ['y'] },
    ])
    expect(
      Object.keys(world.table.items.get('session#s\nstate') ?? {}).filter((name) => name.startsWith('f:')),
    ).toEqual([])
  })

  it('gather what different sandboxes put', async () => {
    const world = new World(definitions)
    const [a, b] = [world.sandbox(), world.sandbox()]
    for (const one of [a, b]) one.enter(run('s'), root)
    await Promise.all([a.ask(put('parts', 's', 'a', 1)), b.ask(put('parts', 's', 'b', 2))])
    expect(await fired(world, a, b)).toEqual([{ task: 'eat', session: 's', keys: ['a', 'b'] }])
  })

  it('gather what different sessions put, and begin a session with it', async () => {
    const world = new World(definitions)
    const [a, b] = [world.sandbox(), world.sandbox()]
    a.enter(run('s'), root)
    b.enter(run('t'), root)
    outputOf(await a.ask(put('pairs', 's', 'x', 1)))
    outputOf(await b.ask(put('pairs', 't', 'x', 2)))
    await fired(world, a, b)
    expect(world.handed).toHaveLength(1)
    expect(world.handed[0]?.session).toBe(world.handed[0]?.id)
  })

  it('take a put once, however often it is tried', async () => {
    const world = new World(definitions)
    const [a, b] = [world.sandbox(), world.sandbox()]
    outputOf(await a.ask(put('events', 's', 'x', 1)))
    outputOf(await a.ask(put('events', 's', 'x', 1)))
    outputOf(await b.ask(put('events', 's', 'x', 1)))
    expect(await fired(world, a, b)).toHaveLength(1)
  })

  it('refuse another value under a live key, an unknown bucket, and a session that has ended', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    outputOf(await a.ask(put('parts', 's', 'a', 1)))
    const other = await a.ask(put('parts', 's', 'a', 2, 'another'))
    expect(other).toMatchObject({ ok: false, error: { code: 'KEY_CONFLICT' } })
    const unknown = await a.ask(put('none', 's', 'a', 2))
    expect(unknown).toMatchObject({ ok: false, error: { code: 'UNKNOWN_BUCKET' } })
    await a.over(run('s'))
    expect(await a.ask(put('parts', 's', 'c', 1))).toMatchObject({ ok: false, error: { code: 'SESSION_CLOSED' } })
    expect(await a.ask(put('pairs', 's', 'c', 1))).toMatchObject({ ok: false, error: { code: 'SESSION_CLOSED' } })
  })

  it('refuse nothing by what they only remember', async () => {
    const world = new World(definitions)
    const [a, b] = [world.sandbox(), world.sandbox()]
    outputOf(await a.ask(put('pairs', 's', 'x', 1)))
    outputOf(await b.ask(put('pairs', 's', 'y', 1)))
    outputOf(await a.ask(put('pairs', 's', 'x', 2, 'another')))
    outputOf(await a.ask(put('pairs', 's', 'z', 2)))
    expect((await fired(world, a, b)).map(({ keys }) => keys)).toEqual([
      ['x', 'y'],
      ['x', 'z'],
    ])
  })

  it('say what to do when a session holds more than an item can', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    const noise = (i: number) => createHash('sha512').update(String(i)).digest('base64')
    let refused: Outcome = { ok: true, output: undefined }
    for (let i = 0; i < 100 && refused.ok; i++) {
      const some = Array.from({ length: 100 }, (_, j) => noise(100 * i + j))
      const outcomes = await Promise.all(some.map((key) => a.ask(put('parts', 's', key, 1))))
      refused = outcomes.find(({ ok }) => !ok) ?? refused
    }
    expect(refused).toMatchObject({ ok: false, error: { code: 'PAYLOAD_TOO_LARGE' } })
  })

  it('give back what is live, also to another sandbox', async () => {
    const world = new World(definitions)
    const [a, b] = [world.sandbox(), world.sandbox()]
    outputOf(await a.ask(put('parts', 's', 'a', { much: 1 })))
    expect(outputOf(await b.ask({ bucket: 'parts', session: 's', op: 'get', key: 'a' }))).toBe('{"much":1}')
    expect(outputOf(await b.ask({ bucket: 'parts', session: 's', op: 'get', key: 'b' }))).toBe(undefined)
  })

  it('write puts of one turn together', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    let commits = 0
    world.table.changed = () => commits++
    await Promise.all(Array.from({ length: 50 }, (_, i) => a.ask(put('parts', 's', `k${i}`, i))))
    expect(commits).toBe(1)
  })
})

describe('a session', () => {
  it('ends when its last invocation is over, with what is incomplete', async () => {
    const world = new World(definitions)
    const [a, b] = [world.sandbox(), world.sandbox()]
    a.enter(run('s'), root)
    outputOf(await a.ask(put('events', 's', 'x', 1)))
    outputOf(await a.ask(put('parts', 's', 'a', 1)))
    await a.over(run('s'))
    expect(await fired(world, a)).toEqual([{ task: 'eat', session: 's', keys: ['x'] }])
    const [consumer] = world.handed
    const later = { id: consumer?.id ?? '', session: 's', input: consumer?.input }
    b.enter(later, sent)
    await b.over(later)
    expect((await fired(world, b)).slice(1)).toEqual([{ task: 'rest', session: world.handed[1]?.id, keys: ['a'] }])
    const { pk, sk } = sessionKey('s')
    expect(world.table.items.get(`${pk}\n${sk}`)).toHaveProperty('closed')
  })

  it('does not end before a send that was handed over, whichever is over first', async () => {
    const world = new World(definitions)
    const [a, b] = [world.sandbox(), world.sandbox()]
    a.enter(run('s'), root)
    await a.sessions.count('s', ['child'])
    const child = { id: 'child', session: 's', input: undefined }
    b.enter(child, sent)
    await b.over(child)
    expect(world.table.items.get('session#s\nstate')).not.toHaveProperty('closed')
    await a.over(run('s'))
    expect(world.table.items.get('session#s\nstate')).toHaveProperty('closed')
  })

  it('ends after what a bucket of the application fired for it', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    outputOf(await a.ask(put('mixed', 's', 'x', 1)))
    await a.over(run('s'))
    expect(world.table.items.get('session#s\nstate')).not.toHaveProperty('closed')
    const [consumer] = world.handed as [HeldSend]
    a.enter(consumer, sent)
    await a.over(consumer)
    expect(world.table.items.get('session#s\nstate')).toHaveProperty('closed')
  })

  it('of calls alone costs nothing', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    await a.over(run('s'))
    expect(world.table.items.size).toBe(0)
  })
})

describe('large values', () => {
  it('are in the object store as long as somebody needs them', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    outputOf(await a.ask(put('events', 's', 'x', 'x'.repeat(10_000))))
    await fired(world, a)
    expect(world.store.objects.size).toBe(1)
    const [send] = world.handed
    const consumer = { id: send?.id ?? '', session: 's', input: send?.input }
    // Lambda may deliver an event twice.
    for (let i = 0; i < 2; i++) {
      expect(world.store.objects.size).toBe(1)
      a.enter(consumer, sent)
      await a.over(consumer)
    }
    await a.over(run('s'))
    expect(world.store.objects.size).toBe(0)
  })

  it('are compared without being read', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    const big = new Uint8Array(10_000).fill(7)
    outputOf(await a.ask(put('parts', 's', 'a', big, '1')))
    outputOf(await a.ask(put('parts', 's', 'a', big, '2')))
    const other = await a.ask(put('parts', 's', 'a', new Uint8Array(10_000), '3'))
    expect(other).toMatchObject({ ok: false, error: { code: 'KEY_CONFLICT' } })
    await a.settled()
    expect(world.store.objects.size).toBe(1)
  })
})

describe('a flush', () => {
  it('fires what buckets of the application hold back, once', async () => {
    const letters = bucket('letters').on(byBatchSize(3, { flush: true }), eat)
    const world = new World(definitionsOf(letters, pairs, parts))
    const a = world.sandbox()
    for (const session of ['s', 't']) {
      outputOf(await a.ask(put('letters', session, session, 1)))
      outputOf(await a.ask(put('parts', session, 'a', 1)))
    }
    outputOf(await a.ask(put('pairs', 's', 'x', 1)))
    const b = world.sandbox()
    expect([await b.flush(), await b.flush()]).toEqual([1, 0])
    expect((await fired(world, a, b)).map(({ keys }) => keys)).toEqual([['s', 't']])
  })
})
