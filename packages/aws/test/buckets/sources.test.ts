import { type BucketObject, bucket, byBatchSize, type Json, redundant, task } from 'fusionize'
import type { BucketOp } from 'fusionize/runtime'
import { describe, expect, it } from 'vitest'
import { definitionsOf, outputOf, put, World } from './world.js'

const first = task('first', async (_: BucketObject<Json>[]) => {})
const many = task('many', async (_: BucketObject<Json>[]) => {})
const goals = bucket('goals').on(redundant(1, 3, { cancel: true }), first)
const shared = bucket('shared')
  .on(redundant(1, 3, { cancel: true }), first)
  .on(byBatchSize(9), many)
const kept = bucket('kept').on(redundant(1, 3), first)
const definitions = definitionsOf(goals, shared, kept)

const about = (name: string) => ({ bucket: name, session: 's' })
const expected = (name: string): BucketOp => ({ ...about(name), op: 'declare', id: 'd', sources: ['a', 'b'] })
const begins = (name: string, source: string): BucketOp => ({
  ...about(name),
  ...{ op: 'source', source, invocation: `run-${source}` },
})
const ends = (name: string, source: string): BucketOp => ({ ...about(name), op: 'sourceDone', source })
const gets = (name: string): BucketOp => ({ ...about(name), op: 'get', key: 'none' })
const puts = (name: string, source: string): BucketOp => ({ ...put(name, 's', source, source), source }) as BucketOp

/** Until the next look at a session never comes; after a conflict it does. */
const pause = (ms: number) => (ms < 1000 ? Promise.resolve() : new Promise<void>(() => {}))
/** Runs that were stopped; of a source that does not run in a sandbox that knows only the name. */
const stopped = (world: World) => world.cancelled.filter((run) => run.startsWith('run-'))

/** Two sandboxes in which the declared sources `a` and `b` run; time stands still. */
async function race(name: string) {
  const world = new World(definitions)
  const [a, b] = [world.sandbox({ pause }), world.sandbox({ pause })]
  for (const [sandbox, id] of [
    [a, 'run-a'],
    [b, 'run-b'],
  ] as const)
    sandbox.enter({ id, session: 's', input: undefined }, { kind: 'root', sent: false })
  outputOf(await a.ask(expected(name)))
  outputOf(await a.ask(begins(name, 'a')))
  outputOf(await b.ask(begins(name, 'b')))
  return { world, a, b }
}

describe.each(['goals', 'shared'])('of the bucket %s', (name) => {
  it('a source that is not needed stops when its sandbox asks for anything', async () => {
    const { world, a, b } = await race(name)
    outputOf(await a.ask(puts(name, 'a')))
    await a.settled()
    expect(stopped(world)).toEqual([])
    outputOf(await b.ask(gets('goals')))
    expect(stopped(world)).toContain('run-b')
    expect(stopped(world)).not.toContain('run-a')
  })

  it('a source that begins when it is not needed stops at once', async () => {
    const { world, a, b } = await race(name)
    outputOf(await b.ask(ends(name, 'b')))
    outputOf(await a.ask(puts(name, 'a')))
    await a.settled()
    outputOf(await world.sandbox({ pause }).ask(begins(name, 'b')))
    expect(stopped(world)).toEqual(['run-b'])
  })

  it('a source that nobody declared stops when it puts too late', async () => {
    const { world, a, b } = await race(name)
    outputOf(await a.ask(puts(name, 'a')))
    outputOf(await b.ask({ ...puts(name, 'c'), source: 'run-c' } as BucketOp))
    await b.settled()
    expect(stopped(world)).toContain('run-c')
  })
})

it('a source that asks for nothing is told all the same, until it ends', async () => {
  const world = new World(definitions)
  const pauses: (() => void)[] = []
  const b = world.sandbox({ pause: (ms) => (ms < 1000 ? pause(ms) : new Promise((resolve) => pauses.push(resolve))) })
  b.enter({ id: 'run-b', session: 's', input: undefined }, { kind: 'root', sent: false })
  outputOf(await b.ask(expected('goals')))
  outputOf(await b.ask(begins('goals', 'b')))
  outputOf(await world.sandbox({ pause }).ask(puts('goals', 'a')))
  expect(stopped(world)).toEqual([])
  const looked = new Promise<void>((resolve) => {
    const get = world.table.get.bind(world.table)
    world.table.get = (pk, sk) => get(pk, sk).finally(() => setImmediate(resolve))
  })
  pauses.shift()?.()
  await looked
  expect(stopped(world)).toEqual(['run-b'])
  outputOf(await b.ask(ends('goals', 'b')))
  pauses.shift()?.()
  await new Promise((resolve) => setImmediate(resolve))
  expect(pauses).toEqual([])
})

it('without cancel all go on, and nothing is asked for them', async () => {
  const { world, a, b } = await race('kept')
  let reads = 0
  const get = world.table.get.bind(world.table)
  world.table.get = (pk, sk) => {
    reads++
    return get(pk, sk)
  }
  outputOf(await a.ask(puts('kept', 'a')))
  outputOf(await b.ask(begins('kept', 'b')))
  expect(stopped(world)).toEqual([])
  // For the record that the put is put into.
  expect(reads).toBeLessThanOrEqual(1)
})
