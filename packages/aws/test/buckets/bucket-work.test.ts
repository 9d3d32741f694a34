import { GetItemCommand, type QueryCommand } from '@aws-sdk/client-dynamodb'
import { type BucketObject, bucket, bySet, byTime, immediate, type Json, task } from 'fusionize'
import { expect, it } from 'vitest'
import { BucketWork } from '../../src/bucket-work.js'
import type { Item } from '../../src/runtime/table.js'
import { definitionsOf, outputOf, put, World } from './world.js'

const each = task('each', async (_: BucketObject<Json>) => {})
const eat = task('eat', async (_: BucketObject<Json>[]) => {})
const events = bucket('events').on(immediate(), each)
const parts = bucket('parts').on(bySet(['a', 'b'], { onIncomplete: eat }), eat)
const windows = bucket('windows').on(byTime(1000), eat)

const root = { id: 'root', session: 's', input: undefined }
const app = {
  tasks: { f: { name: 'f', file: 'f.ts', line: 1, hasSchema: false } },
  buckets: Object.fromEntries(
    ['events', 'parts', 'windows'].map((name) => [
      name,
      { name, file: 'b.ts', line: 1, triggers: [], producers: ['f'], fusible: name !== 'windows' },
    ]),
  ),
}

/** What looks into a world's table. */
function lookInto(world: World) {
  const attributes = (item: Item) =>
    Object.fromEntries(
      Object.entries(item).map(([name, value]) => [
        name,
        typeof value === 'string' ? { S: value } : { N: String(value) },
      ]),
    )
  const send = async (command: unknown) => {
    if (command instanceof GetItemCommand) {
      const { pk, sk } = command.input.Key ?? {}
      const item = world.table.items.get(`${pk?.S}\n${sk?.S}`)
      return { Item: item && attributes(item) }
    }
    const { S: pk = '' } = (command as QueryCommand).input.ExpressionAttributeValues?.[':pk'] ?? {}
    const found = [...world.table.items].filter(([key]) => key.startsWith(`${pk}\n`))
    return {
      Items: found.map(([key, item]) => attributes({ ...item, pk, sk: key.slice(pk.length + 1) })),
    }
  }
  const work = new BucketWork({ send: send as never }, 'table', () => world.now)
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
