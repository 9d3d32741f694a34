import { type BucketObject, bucket, byBatchSize, FusionizeError, immediate, type Json, task } from 'fusionize'
import type { HeldSend } from 'fusionize/runtime'
import { expect, it } from 'vitest'
import { definitionsOf, keysOf, outputOf, put, World } from './world.js'

const one = task('one', async (_: BucketObject<Json>) => {})
const many = task('many', async (_: BucketObject<Json>[]) => {})
const singles = bucket('singles').on(byBatchSize(1), many)
const pairs = bucket('pairs').on(byBatchSize(2), many)
const events = bucket('events').on(immediate(), one)
const mixed = bucket('mixed').on(immediate(), one).on(byBatchSize(9), many)

const root = { id: 'root', session: 's', input: undefined }

/** A world in which sandboxes of setup `old` died after they had fired, and the setup has retired since. */
async function worldAfter(...puts: [bucket: string, key: string][]) {
  const world = new World(definitionsOf(singles, pairs, events, mixed))
  const dead = world.sandbox({ setup: 'old', handOn: () => new Promise(() => {}) })
  dead.enter(root, { kind: 'root', sent: true })
  for (const [name, key] of puts) outputOf(await dead.ask(put(name, 's', key, 1)))
  world.pass(120_000)
  return world
}

/** As Lambda says it: of a version that is gone with or without a permission for it. */
const refusals = [
  ['UNKNOWN_TASK', 404],
  ['UNSUPPORTED', 403],
] as const

it.each(refusals)('a firing of a setup that has retired runs where the sweep does: %s', async (code) => {
  const world = await worldAfter(['singles', 'x'], ['events', 'y'])
  const handOn = async (send: HeldSend) => {
    if (send.setup === 'old') throw new FusionizeError(code, 'gone')
    world.handed.push(send)
  }
  const sandbox = world.sandbox({ setup: 'new', handOn })
  expect(await sandbox.sweep()).toBe(2)
  expect(world.handed.map((send) => [send.task, send.setup, ...keysOf(send)]).sort()).toEqual([
    ['many', 'new', 'x'],
    ['one', 'new', 'y'],
  ])
  expect(await sandbox.sweep()).toBe(0)
})

it('a firing whose task there is not there either is a dead letter, and its session ends', async () => {
  const world = await worldAfter(['mixed', 'x'], ['singles', 'y'])
  const errors: string[] = []
  const sandbox = world.sandbox({
    setup: 'new',
    handOn: async () => {
      throw new FusionizeError('UNKNOWN_TASK', 'gone')
    },
    bury: async (send, _, error) => {
      world.buried.push(send)
      errors.push(`${error.code} ${error.message}`)
    },
  })
  await sandbox.sweep()
  expect(world.buried.map(({ task }) => task).sort()).toEqual(['many', 'one'])
  for (const error of errors)
    expect(error).toMatch(/^UNKNOWN_TASK .*setup old, which has retired.*setup new.*deploy.*replay/)
  await sandbox.over(root)
  expect(world.table.items.get('session#s\nstate')).toHaveProperty('closed')
  expect(await sandbox.sweep()).toBe(0)
  expect(world.buried).toHaveLength(2)
})

it('a firing that cannot be handed over now stays, and stops no other', async () => {
  const world = await worldAfter(['singles', 'a'], ['pairs', 'b'], ['pairs', 'c'], ['events', 'd'])
  let throttled = true
  const handOn = async (send: HeldSend) => {
    if (throttled && keysOf(send).includes('a')) throw new FusionizeError('QUEUE_FULL', 'throttled')
    world.handed.push(send)
  }
  const sandbox = world.sandbox({ setup: 'old', handOn })
  expect(await sandbox.sweep()).toBe(2)
  expect(world.handed.map(keysOf).sort()).toEqual([['b', 'c'], ['d']])
  expect(world.logs).toEqual([expect.stringMatching(/^error .*1 firings.*throttled/)])
  throttled = false
  expect(await sandbox.sweep()).toBe(1)
  expect(world.handed.map(keysOf).at(-1)).toEqual(['a'])
})

it('of firings of one commit only those are handed over again that were not', async () => {
  const world = new World(definitionsOf(singles))
  const handOn = async (send: HeldSend) => {
    if (keysOf(send).includes('b')) throw new FusionizeError('QUEUE_FULL', 'throttled')
    world.handed.push(send)
  }
  const busy = world.sandbox({ handOn })
  await Promise.all(['a', 'b', 'c'].map((key) => busy.ask(put('singles', 's', key, 1))))
  await busy.settled()
  world.pass(120_000)
  expect(await world.sandbox().sweep()).toBe(1)
  expect(world.handed.map(keysOf).sort()).toEqual([['a'], ['b'], ['c']])
})

it('a session whose record cannot be read does not keep the sweep from others', async () => {
  const world = await worldAfter(['events', 'x'])
  const other = world.sandbox({ setup: 'old', handOn: () => new Promise(() => {}) })
  other.enter({ ...root, session: 't' }, { kind: 'root', sent: true })
  outputOf(await other.ask(put('events', 't', 'y', 1)))
  const item = world.table.items.get('session#s\nstate')
  for (const name of Object.keys(item ?? {})) if (name.startsWith('f:') && item) item[name] = 'broken'
  world.pass(120_000)
  expect(await world.sandbox({ setup: 'old' }).sweep()).toBe(1)
  expect(world.handed.map(keysOf)).toEqual([['y']])
})
