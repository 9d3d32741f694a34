import { type BucketObject, bucket, byBatchSize, byTime, immediate, type Json, task } from 'fusionize'
import type { BucketOp, HeldSend } from 'fusionize/runtime'
import { describe, expect, it } from 'vitest'
import type { Buckets, From } from '../../src/runtime/buckets/index.js'
import { definitionsOf, keysOf, outputOf, put, World } from './world.js'

const one = task('one', async (_: BucketObject<Json>) => {})
const many = task('many', async (_: BucketObject<Json>[]) => {})

const events = bucket('events').on(immediate(), one)
const waits = bucket('waits').on(byBatchSize(5, { scope: 'session', maxWaitMs: 2_000_000 }), many)
const windows = bucket('windows').on(byTime(1000), many)
const results = bucket('results')
const definitions = definitionsOf(events, waits, windows, results)

const root: From = { kind: 'root', sent: false }
const sent: From = { kind: 'send' }
const run = (session: string) => ({ id: `root-${session}`, session, input: undefined })
const isOver = (world: World, session: string) =>
  world.table.items.get(`session#${session}\nstate`)?.closed !== undefined

/** Tells everything that is due, in its time. @returns how many messages there were */
async function tellAll(world: World, sandbox: Buckets): Promise<number> {
  let told = 0
  for (; world.messages.length > 0; told++) {
    const { message, delayS } = world.messages.shift() as World['messages'][number]
    world.now += delayS * 1000
    await sandbox.time(message)
    await sandbox.settled()
  }
  return told
}

/** Runs what was handed over. */
async function consume(world: World, sandbox: Buckets): Promise<HeldSend[]> {
  const all = world.handed.splice(0)
  for (const send of all) {
    sandbox.enter(send, send.id === send.session ? root : sent)
    await sandbox.over(send)
  }
  return all
}

describe('time', () => {
  it('closes a window, once, with one message', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    for (const key of ['x', 'y', 'z']) outputOf(await a.ask(put('windows', 's', key, 1)))
    expect(world.messages).toHaveLength(1)
    await tellAll(world, a)
    expect(world.handed.map(keysOf)).toEqual([['x', 'y', 'z']])
  })

  it('that is further away than a queue holds a message back is told on the way', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    outputOf(await a.ask(put('waits', 's', 'x', 1)))
    await a.over(run('s'))
    expect(isOver(world, 's')).toBe(false)
    expect(await tellAll(world, a)).toBe(3)
    expect((await consume(world, a)).map(keysOf)).toEqual([['x']])
    expect(isOver(world, 's')).toBe(true)
  })

  it('is told again when a message comes twice, without two messages from then on', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    outputOf(await a.ask(put('windows', 's', 'x', 1)))
    const [first] = world.messages
    world.messages.push(...world.messages)
    await tellAll(world, a)
    expect(world.handed).toHaveLength(1)
    expect(first).toBeDefined()
    outputOf(await a.ask(put('windows', 's', 'y', 1)))
    expect(world.messages).toHaveLength(1)
  })

  it('that nobody was told is found by the sweep', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    outputOf(await a.ask(put('windows', 's', 'x', 1)))
    world.messages.length = 0
    world.now += 120_000
    await world.sandbox().sweep()
    expect(world.handed.map(keysOf)).toEqual([['x']])
  })
})

describe('a promise', () => {
  const promise = (rerun: 'source' | 'session' = 'source'): BucketOp => ({
    ...{ bucket: 'results', session: 's', op: 'promise', key: 'r', from: 'one' },
    ...{ withinMs: 1000, attempts: 2, rerun },
  })

  it('that is kept is forgotten', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    outputOf(await a.ask(promise()))
    outputOf(await a.ask(put('results', 's', 'r', 1)))
    await tellAll(world, a)
    expect(world.handed).toEqual([])
    await a.over(run('s'))
    expect(isOver(world, 's')).toBe(true)
  })

  it('that is broken has its task run again, then leaves a dead letter, and the session ends', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    outputOf(await a.ask(put('events', 's', 'x', 1)))
    await a.settled()
    outputOf(await a.ask(promise()))
    await a.over(run('s'))
    const [first] = await consume(world, a)
    expect(isOver(world, 's')).toBe(false)
    await tellAll(world, a)
    expect(world.handed.map(({ id }) => id)).toEqual([first?.id])
    expect(world.buried.map(({ id }) => id)).toEqual([first?.id])
    await consume(world, a)
    expect(isOver(world, 's')).toBe(true)
  })

  it('that is made before its task is sent knows what to run again', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    outputOf(await a.ask(promise()))
    const b = world.sandbox()
    outputOf(await b.ask(put('events', 's', 'x', 1)))
    await b.settled()
    world.handed.length = 0
    await tellAll(world, a)
    expect(world.handed.map(({ task }) => task)).toEqual(['one'])
  })

  it('can have the session run again, as another', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    const request = { ...run('s'), function: 'f', task: 'start', trace: 't', parent: '', setup: 's' }
    a.enter({ ...run('s'), request }, root)
    outputOf(await a.ask(promise('session')))
    await a.over(run('s'))
    await tellAll(world, a)
    expect(world.handed.map(({ id, session, task }) => ({ id, session, task }))).toEqual([
      { id: 's+', session: 's+', task: 'start' },
    ])
    expect(isOver(world, 's')).toBe(true)
  })
})

describe('an answer from a bucket', () => {
  const answer = (sandbox: Buckets, session: string, deadline: number) =>
    sandbox.answer({ ...run(session), task: 'start' }, 'results', deadline)

  it('is the first object that anybody puts', async () => {
    const world = new World(definitions)
    const [a, b] = [world.sandbox(), world.sandbox()]
    a.enter(run('s'), root)
    await a.awaits('s', 'results')
    outputOf(await b.ask(put('results', 's', 'x', 'first')))
    outputOf(await b.ask(put('results', 's', 'y', 'second')))
    expect(await answer(a, 's', world.now + 1000)).toEqual({ ok: true, output: '"first"' })
  })

  it('may be large, and is there when the session has ended', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    await a.awaits('s', 'results')
    const big = new Uint8Array(50_000).fill(3)
    outputOf(await a.ask(put('results', 's', 'x', big)))
    await a.over(run('s'))
    expect(await answer(a, 's', world.now + 1000)).toEqual({ ok: true, output: big })
  })

  it('that never comes is an error: the session has ended, or the time is over', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    await a.awaits('s', 'results')
    expect(await answer(a, 's', world.now + 1000)).toMatchObject({ ok: false, error: { code: 'TIMEOUT' } })
    await a.over(run('s'))
    expect(await answer(a, 's', world.now + 1000)).toMatchObject({ ok: false, error: { code: 'NO_RESULT' } })
  })
})

describe('the sweep', () => {
  it('hands over what a dead sandbox left, and ends its session when nobody can hear of it any more', async () => {
    const world = new World(definitions)
    const dead = world.sandbox({ handOn: () => new Promise(() => {}) })
    dead.enter(run('s'), root)
    outputOf(await dead.ask(put('events', 's', 'x', 1)))
    world.now += 120_000
    const a = world.sandbox()
    expect(await a.sweep()).toBe(1)
    expect((await consume(world, a)).map(keysOf)).toEqual([['x']])
    expect(isOver(world, 's')).toBe(false)
    world.now += 61 * 60_000
    expect(await a.sweep()).toBe(0)
    expect(isOver(world, 's')).toBe(true)
    expect(world.logs).toEqual(['warn s: nothing was heard of invocation root-s: it counts as over'])
  })

  it('leaves nothing in the watch list', async () => {
    const world = new World(definitions)
    const a = world.sandbox()
    a.enter(run('s'), root)
    outputOf(await a.ask(put('events', 's', 'x', 1)))
    await a.over(run('s'))
    await consume(world, a)
    world.now += 20 * 60_000
    await a.sweep()
    expect([...world.table.items.keys()].filter((key) => key.startsWith('watch'))).toEqual([])
  })
})
