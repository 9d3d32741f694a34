import { type BucketObject, bucket, byBatchSize, bySet, type Json, task } from 'fusionize'
import type { HeldSend } from 'fusionize/runtime'
import { expect, it } from 'vitest'
import { definitionsOf, outputOf, put, World } from './world.js'

const eat = task('eat', async (_: BucketObject<Json>[]) => {})
const rest = task('rest', async (_: BucketObject<Json>[]) => {})
const parts = bucket('parts').on(bySet(['a', 'b'], { onIncomplete: rest }), eat)
const pairs = bucket('pairs').on(byBatchSize(2), eat)

const large = 'x'.repeat(10_000)
const root = { id: 'root', session: 's', input: undefined }

/** A world in which large objects were put, and maybe delivered. */
async function worldWith(name: string, keys: string[]) {
  const world = new World(definitionsOf(parts, pairs))
  const sandbox = world.sandbox()
  sandbox.enter(root, { kind: 'root', sent: false })
  for (const key of keys) outputOf(await sandbox.ask(put(name, 's', key, large)))
  await sandbox.settled()
  return { world, sandbox }
}

it.each([
  ['of a session', 'parts'],
  ['of the application', 'pairs'],
])('a firing of a bucket %s that is over is known when it is delivered again', async (_, name) => {
  const { world, sandbox } = await worldWith(name, ['a', 'b'])
  const firing = world.handed[0] as HeldSend
  expect(await sandbox.isOver(firing)).toBe(false)
  sandbox.enter(firing, { kind: 'send' })
  await sandbox.over(firing)
  expect(world.store.objects.size).toBe(0)
  expect(await world.sandbox().isOver(firing)).toBe(true)
  await sandbox.over(root)
  expect(await world.sandbox().isOver(firing)).toBe(true)
})

it('what the end of a session delivers is not over because the session is', async () => {
  const { world, sandbox } = await worldWith('parts', ['a'])
  await sandbox.over(root)
  const firing = world.handed[0] as HeldSend
  expect(firing.task).toBe('rest')
  expect(world.fired).toEqual([firing.id])
  expect(await world.sandbox().isOver(firing)).toBe(false)
})

it('a firing that failed for good may be replayed: its objects stay', async () => {
  const { world, sandbox } = await worldWith('pairs', ['a', 'b'])
  const firing = world.handed[0] as HeldSend
  await sandbox.over(firing, true)
  expect(world.store.objects.size).toBe(2)
  expect(await world.sandbox().isOver(firing)).toBe(false)
})

it('a firing that is replayed after its session is not over because that is', async () => {
  const { world, sandbox } = await worldWith('parts', ['a', 'b'])
  const firing = world.handed[0] as HeldSend
  sandbox.enter(firing, { kind: 'send' })
  await sandbox.over(firing, true)
  await sandbox.over(root)
  expect(world.store.objects.size).toBe(2)
  expect(await world.sandbox().isOver(firing)).toBe(true)
  expect(await world.sandbox().isOver(firing, true)).toBe(false)
})
