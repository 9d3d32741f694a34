import { type BucketObject, bucket, bySet, byTime, immediate, type Json, task } from 'fusionize'
import { expect, it } from 'vitest'
import { bucketStatus } from '../../src/bucket-status.js'
import { BucketWork } from '../../src/bucket-work.js'
import { tableOf } from './outside.js'
import { definitionsOf, outputOf, put, World } from './world.js'

const each = task('each', async (_: BucketObject<Json>) => {})
const eat = task('eat', async (_: BucketObject<Json>[]) => {})
const events = bucket('events').on(immediate(), each)
const parts = bucket('parts').on(bySet(['a', 'b'], { onIncomplete: eat }), eat)
const windows = bucket('windows').on(byTime(1000), eat)

const root = { id: 'root', session: 's', input: undefined }
const app = { functions: new Map([['f', 'fusionize-app-f']]), buckets: ['events', 'parts', 'windows'] }

/** What looks into a world's table. */
function lookInto(world: World) {
  const work = new BucketWork(tableOf(world), () => world.now)
  return async () => [...(await work.look(app)).keys()]
}

it('a session is under way until everything of it is over, and its end has fired', async () => {
  const world = new World(definitionsOf(events, parts, windows))
  const look = lookInto(world)
  const sandbox = world.sandbox()
  expect(await look()).toEqual([])
  sandbox.enter(root, { kind: 'root', sent: false })
  outputOf(await sandbox.ask(put('events', 's', 'x', 1)))
  await sandbox.settled()
  await sandbox.over(root)
  expect(await look()).toEqual(['session s'])
  const [firing] = world.handed
  sandbox.enter(firing as typeof root & object, { kind: 'send' })
  await sandbox.over(firing as never)
  expect(await look()).toEqual([])
})

it('what lies in an outbox is under way, in a session and in a bucket of the application', async () => {
  const world = new World(definitionsOf(events, parts, windows))
  const look = lookInto(world)
  const dying = world.sandbox({ handOn: () => Promise.reject(new Error('killed')) })
  dying.enter(root, { kind: 'root', sent: false })
  outputOf(await dying.ask(put('events', 's', 'x', 1)))
  outputOf(await dying.ask(put('windows', 's', 'x', 1)))
  world.pass(1000)
  await dying.time({ fusionize: 'time', at: 0, bucket: 'windows' })
  await dying.settled()
  expect((await look()).sort()).toEqual(['bucket windows', 'session s'])
})

it('what is in each bucket is told, of sessions and of the application', async () => {
  const world = new World(definitionsOf(events, parts, windows))
  const sandbox = world.sandbox()
  const status = () => bucketStatus(tableOf(world), app, world.now)
  const none = { objects: 0, bytes: 0, sessions: 0, oldestMs: null }
  expect(await status()).toEqual(app.buckets.map((bucket) => ({ bucket, ...none })))
  for (const session of ['s', 't']) {
    const run = { ...root, session }
    sandbox.enter(run, { kind: 'root', sent: false })
    outputOf(await sandbox.ask(put('parts', session, 'a', 'abc')))
    outputOf(await sandbox.ask(put('windows', session, session, 1)))
    world.pass(100)
  }
  outputOf(await sandbox.ask(put('windows', 't', 'large', new Uint8Array(10_000))))
  expect(await status()).toEqual([
    { bucket: 'events', ...none },
    { bucket: 'parts', objects: 2, bytes: 10, sessions: 2, oldestMs: 200 },
    { bucket: 'windows', objects: 3, bytes: 10_002, sessions: 2, oldestMs: 200 },
  ])
  await sandbox.over({ ...root, session: 's' })
  await world.sandbox().time({ fusionize: 'time', at: 0, bucket: 'windows' })
  expect(await status()).toMatchObject([
    { bucket: 'events', ...none },
    { bucket: 'parts', objects: 1, bytes: 5, sessions: 1, oldestMs: 100 },
    { bucket: 'windows', objects: 3 },
  ])
})

it('a session that only waits for the end of a window is not', async () => {
  const world = new World(definitionsOf(events, parts, windows))
  const look = lookInto(world)
  const sandbox = world.sandbox()
  sandbox.enter(root, { kind: 'root', sent: false })
  outputOf(await sandbox.ask(put('windows', 's', 'x', 1)))
  await sandbox.over(root)
  await look()
  world.pass(1000)
  expect(await look()).toEqual([])
})
