import { type BucketObject, bucket, byBatchSize, bySet, type Json, task } from 'fusionize'
import type { BucketOp, HeldSend } from 'fusionize/runtime'
import { expect, it } from 'vitest'
import type { Update } from '../../src/runtime/buckets/changing-table.js'
import type { Buckets, From, Run } from '../../src/runtime/buckets/index.js'
import { definitionsOf, keysOf, outputOf, put, World } from './world.js'

const eat = task('eat', async (_: BucketObject<Json>[]) => {})
const rest = task('rest', async (_: BucketObject<Json>[]) => {})
const parts = bucket('parts').on(bySet(['a', 'b'], { onIncomplete: rest }), eat)
const pairs = bucket('pairs').on(byBatchSize(2), eat)

const large = 'x'.repeat(10_000)
const root = { id: 'root', session: 's', input: undefined }

/** How its session knows of a firing. */
const fromOf = ({ id, session }: HeldSend): From => (id === session ? { kind: 'root', sent: true } : { kind: 'send' })

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
  expect(await sandbox.isOver(firing, fromOf(firing))).toBe(false)
  sandbox.enter(firing, fromOf(firing))
  await sandbox.over(firing)
  expect(world.store.objects.size).toBe(0)
  expect(await world.sandbox().isOver(firing, fromOf(firing))).toBe(true)
  await sandbox.over(root)
  expect(await world.sandbox().isOver(firing, fromOf(firing))).toBe(true)
})

it('what the end of a session delivers is not over because the session is', async () => {
  const { world, sandbox } = await worldWith('parts', ['a'])
  await sandbox.over(root)
  const firing = world.handed[0] as HeldSend
  expect(firing.task).toBe('rest')
  expect(world.fired).toEqual([firing.id])
  expect(await world.sandbox().isOver(firing, fromOf(firing))).toBe(false)
})

it('a firing that failed for good may be replayed: its objects stay', async () => {
  const { world, sandbox } = await worldWith('pairs', ['a', 'b'])
  const firing = world.handed[0] as HeldSend
  await sandbox.over(firing, true)
  expect(world.store.objects.size).toBe(2)
  expect(await world.sandbox().isOver(firing, fromOf(firing))).toBe(false)
})

it('a firing that is replayed after its session is not over because that is', async () => {
  const { world, sandbox } = await worldWith('parts', ['a', 'b'])
  const firing = world.handed[0] as HeldSend
  sandbox.enter(firing, fromOf(firing))
  await sandbox.over(firing, true)
  await sandbox.over(root)
  expect(world.store.objects.size).toBe(2)
  expect(await world.sandbox().isOver(firing, fromOf(firing))).toBe(true)
  expect(await world.sandbox().isOver({ ...firing, replayed: true }, fromOf(firing))).toBe(false)
})

/** Kills a sandbox at a change of the table. */
interface Kill {
  at(update: Update): boolean
  /** How many such changes come first. */
  after?: number
  /** It is not made. */
  before?: boolean
}

function dying(world: World, { at, after = 0, before = false }: Kill): Buckets {
  const { table } = world
  let left = after + 1
  const forever = new Promise<never>(() => {})
  const update = async (change: Update) => {
    if (left > 0 && at(change)) left--
    if (left === 0 && before) return forever
    const answer = await table.update(change)
    return left === 0 ? forever : answer
  }
  return world.sandbox({
    table: {
      ...{
        put: (item) => table.put(item),
        get: (pk, sk) => table.get(pk, sk),
        remove: (pk, sk) => table.remove(pk, sk),
      },
      ...{ before: (pk, sk) => table.before(pk, sk), update },
    },
  })
}

/** Lambda delivers a run until one delivery is counted as handled, as `serveEnvelope` has it. @returns what it was refused */
async function deliver(sandbox: Buckets, run: Run, from: From, ops: readonly BucketOp[]): Promise<string[]> {
  if (await sandbox.isOver(run, from)) {
    await sandbox.over(run)
    return []
  }
  sandbox.enter(run, from)
  const refused: string[] = []
  for (const op of ops) {
    const outcome = await sandbox.ask(op)
    if (!outcome.ok) refused.push(String(outcome.error.code))
  }
  await sandbox.over(run)
  return refused
}

const ends = ({ set = {} }: Update) => set.closed !== undefined
const kills: [string, Kill][] = [
  ['when the run is over, before anything ends', { at: ({ remove }) => remove?.includes('o:run') === true }],
  // The first change is the put.
  ['after its end in a bucket of the application', { at: ({ pk }) => pk === 'bucket#pairs', after: 1 }],
  ['before its own end', { at: ends, before: true }],
  ['after its own end', { at: ends }],
]

it.each(kills)(
  'a session whose sandbox is killed %s ends once: its last run, delivered again, is over',
  async (_, kill) => {
    for (const from of [{ kind: 'root', sent: true }, { kind: 'send' }] as const) {
      const world = new World(definitionsOf(parts, pairs))
      const run = { id: 'run', session: 's', input: undefined }
      const ops = [put('parts', 's', 'a', 1), put('pairs', 's', 'x', 1)]
      // It is counted before it is handed over.
      if (from.kind === 'send') await world.sandbox().sessions.count('s', ['run'])
      const killed = deliver(dying(world, kill), run, from, ops)
      expect(await Promise.race([killed, new Promise((resolve) => setTimeout(resolve, 10, 'killed'))])).toBe('killed')
      const next = world.sandbox()
      expect(await deliver(next, run, from, ops)).toEqual([])
      expect(world.table.items.get('session#s\nstate')).toHaveProperty('closed')
      // What its end has fired the sweep hands over, if nobody else has.
      world.pass(120_000)
      await next.sweep()
      expect(world.handed.map(keysOf)).toEqual([['a']])
      outputOf(await next.ask(put('pairs', 't', 'y', 1)))
      await next.settled()
      expect(world.handed.map(keysOf)).toEqual([['a'], ['x', 'y']])
    }
  },
)

it('of a run that is delivered twice at once, the second is over when the first has ended the session', async () => {
  const world = new World(definitionsOf(parts, pairs))
  const [a, b] = [world.sandbox(), world.sandbox()]
  const run = { id: 'run', session: 's', input: undefined }
  const from: From = { kind: 'root', sent: true }
  for (const one of [a, b]) {
    expect(await one.isOver(run, from)).toBe(false)
    one.enter(run, from)
  }
  expect(await deliver(a, run, from, [put('pairs', 's', 'x', 1)])).toEqual([])
  expect(await b.ask(put('pairs', 's', 'x', 1))).toMatchObject({ ok: false, error: { code: 'SESSION_CLOSED' } })
  expect(await b.isOver(run, from)).toBe(true)
})

it('what was never over is not, though its session has ended: another root of it, or a send that came too late', async () => {
  const world = new World(definitionsOf(parts, pairs))
  const [a, b] = [world.sandbox(), world.sandbox()]
  a.enter(root, { kind: 'root', sent: true })
  outputOf(await a.ask(put('parts', 's', 'a', 1)))
  await a.over(root)
  expect(await b.isOver({ ...root, id: 'other' }, { kind: 'root', sent: true })).toBe(false)
  const sent = (id: string) => ({ id, session: 's', input: undefined })
  await a.sessions.sends('s', 'late')
  expect(await b.isOver(sent('late'), { kind: 'send' })).toBe(false)
  b.enter(sent('late'), { kind: 'send' })
  await b.over(sent('late'))
  expect(await b.isOver(sent('late'), { kind: 'send' })).toBe(true)
  // A call that goes on though nobody waits for it any more.
  a.enter(sent('call'), { kind: 'call', root: undefined })
  await a.sessions.outlives(sent('call'))
  await a.sessions.sends('s', 'by call')
  expect(await a.sessions.comesAgain('s')).toBe(false)
  expect(await b.isOver(sent('by call'), { kind: 'send' })).toBe(false)
  // A dead letter that is replayed.
  const c = world.sandbox()
  c.enter({ ...sent('letter'), replayed: true }, { kind: 'send' })
  await c.sessions.sends('s', 'by letter')
  expect(await b.isOver(sent('by letter'), { kind: 'send' })).toBe(false)
  // What was sent too late sends more.
  const d = world.sandbox()
  d.enter(sent('by letter'), { kind: 'send' })
  await d.sessions.sends('s', 'more')
  expect(await b.isOver(sent('more'), { kind: 'send' })).toBe(false)
  // A root that comes again has sent it before.
  b.enter(root, { kind: 'root', sent: true })
  await b.sessions.sends('s', 'before')
  expect(await b.sessions.comesAgain('s')).toBe(true)
  expect(await b.isOver(sent('before'), { kind: 'send' })).toBe(true)
})
