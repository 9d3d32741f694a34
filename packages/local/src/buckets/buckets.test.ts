import { setTimeout as pause } from 'node:timers/promises'
import { bucket, byBatchSize, bySet, immediate, task } from 'fusionize'
import { bucketOf } from 'fusionize/buckets'
import { expect, it, onTestFinished } from 'vitest'
import type { BucketHead, Sandbox } from '../engine/sandbox.js'
import type { Send } from '../send.js'
import type { BucketEvent } from './events.js'
import { type BucketPorts, Buckets } from './index.js'
import type { LargeObjects } from './large.js'

const consume = task('consume', async (_: unknown[] & readonly never[]) => {}) as never

/** A node's buckets with a clock that the test sets; its timers never come first. */
function nodeWith(definition: object, changed: Partial<BucketPorts> = {}) {
  let nowMs = 1_000_000_000_000_000
  const fired: string[] = []
  const events: BucketEvent[] = []
  const again: Send[] = []
  const released: unknown[] = []
  const ports = {
    append: async (more: BucketEvent[]) => void events.push(...more),
    accept: async (sends: Send[]) => void fired.push(...sends.map(({ id }) => id)),
    isOpen: () => true,
    findSend: () => undefined,
    again: (send: Send) => void again.push(send),
    log: () => {},
    currentSetup: () => 'setup',
    now: () => nowMs,
    large: {
      store: { charge() {}, discharge() {}, room: () => undefined },
      intern: (value: unknown) => ({ value }),
      retain: () => {},
      release: (value: unknown) => void released.push(value),
      renewed: () => {},
      finished: () => {},
    } as unknown as LargeObjects,
    ...changed,
  } as unknown as BucketPorts
  const buckets = new Buckets(ports, false)
  onTestFinished(() => buckets.close())
  const known = bucketOf(definition) as NonNullable<ReturnType<typeof bucketOf>>
  const { name } = known
  const define = () => buckets.define([known])
  const sandbox = { id: 'box', pool: { deployment: { id: 'setup' }, fused: new Set([name]) } } as unknown as Sandbox
  const head = (key: string, id = key) =>
    ({ bucket: name, session: 's', op: 'put', key, id, source: 's', trace: '', parent: '', at: nowMs }) as BucketHead
  const ask = (op: BucketHead, value?: string) =>
    new Promise<unknown>((answer) => buckets.op(sandbox, op, value, answer))
  return {
    buckets,
    define,
    sandbox,
    head,
    fired,
    events,
    again,
    released,
    pass: (ms: number) => {
      nowMs += ms
    },
    put: (key: string, value: string, id?: string) => ask(head(key, id), value),
    promise: (key: string, withinMs: number) =>
      ask({ bucket: name, session: 's', op: 'promise', key, from: 'source', withinMs, attempts: 3, rerun: 'source' }),
  }
}

const source: Send = {
  id: 'source-1',
  session: 's',
  function: 'source',
  task: 'source',
  input: '1',
  trace: '',
  parent: '',
  setup: 'setup',
}

it.each([
  ['repeats one that is known', 'a', '"1"', 'a'],
  ['takes a key that it frees', 'a', '"2"', 'other'],
])(
  'a batch whose time came is fired, and journalled, though the put that comes before the timer %s',
  async (_what, key, value, id) => {
    const node = nodeWith(bucket<number>('late').on(byBatchSize(10, { maxWaitMs: 50 }), consume))
    node.define()
    await node.put('a', '"1"')
    node.pass(60)
    await node.put(key, value, id)
    expect(node.fired).toHaveLength(1)
    expect(node.events.flatMap((event) => (event.type === 'bucket' ? [event.change.op] : [])).slice(0, 2)).toEqual([
      'put',
      'time',
    ])
  },
)

it.each(['on the node', 'where it is fused'])(
  'an answer from a bucket, put %s, waits until it is kept',
  async (where) => {
    let keep: () => void = () => {}
    const kept = new Promise<void>((resolve) => {
      keep = resolve
    })
    const node = nodeWith(bucket<number>('answers'), { append: () => kept })
    node.define()
    const answers: unknown[] = []
    node.buckets.await('s', 'answers', (value) => answers.push(value), fail)
    if (where === 'on the node') void node.put('a', '42')
    else {
      node.buckets.lease(node.sandbox, 's', true)
      const written = node.buckets.mirror(node.sandbox, 's', [node.head('a')], ['42'], 'no')
      node.buckets.outcome('s', '42', written)
    }
    await pause(20)
    expect(answers).toEqual([])
    keep()
    await pause(0)
    expect(answers).toEqual(['42'])
  },
)

it.each(['on the node', 'where it is fused'])('and is an error when it cannot be kept, put %s', async (where) => {
  const refused = new Error('the disk is full')
  const node = nodeWith(bucket<number>('answers'), { append: () => Promise.reject(refused) })
  node.define()
  const errors: unknown[] = []
  node.buckets.await('s', 'answers', fail, (error) => errors.push(error))
  if (where === 'on the node') await node.put('a', '42')
  else {
    node.buckets.lease(node.sandbox, 's', true)
    const written = node.buckets.mirror(node.sandbox, 's', [node.head('a')], ['42'], 'no')
    node.buckets.outcome('s', '42', written)
    await written?.catch(() => {})
  }
  await pause(0)
  expect(errors).toEqual([refused])
})

it('what a fused bucket no longer holds is released on the node, too, once', () => {
  const node = nodeWith(
    bucket<number>('pairs')
      .on(bySet(['a', 'b'] as const), consume)
      .on(immediate(), consume),
  )
  node.define()
  node.buckets.lease(node.sandbox, 's', true)
  node.buckets.mirror(node.sandbox, 's', [node.head('a'), node.head('b'), node.head('c')], ['1', '2', '3'], 'no')
  node.buckets.mirror(node.sandbox, 's', [node.head('a')], ['1'], 'no')
  node.buckets.mirror(node.sandbox, 's', [], [], 'session')
  // The session has ended in the sandbox. Here it ends when what ran there is kept as done: until then that may have to run again.
  expect(node.released.toSorted()).toEqual(['1', '1', '2'])
  expect(node.buckets.inspect('s')?.ended).toBe(true)
  node.buckets.quiet('s')
  // The second `a` is the first one again.
  expect(node.released.toSorted()).toEqual(['1', '1', '2', '3'])
})

it('what a task promised to put is expected after a restart of the platform, and its task run again', async () => {
  const definition = () => bucket<number>('promises').on(immediate(), consume)
  const before = nodeWith(definition(), { findSend: () => source })
  before.define()
  await before.promise('kept', 50)
  await before.promise('broken', 50)
  await before.put('kept', '1')
  const after = nodeWith(definition())
  for (const event of JSON.parse(JSON.stringify(before.events)) as BucketEvent[]) after.buckets.apply(event)
  after.define()
  expect(after.buckets.inspect('s')?.expected).toEqual([
    { bucket: 'promises', key: 'broken', from: 'source', attempt: 1 },
  ])
  expect(after.again).toEqual([])
  after.buckets.recovered()
  await expect.poll(() => after.again).toEqual([source])
  expect(after.events.at(-1)).toMatchObject({ type: 'expect', attempt: 2, expected: { key: 'broken' } })
  // And after the next one.
  const last = nodeWith(definition())
  for (const event of after.buckets.snapshot()) last.buckets.apply(event)
  expect([...last.buckets.expectations.sends()]).toEqual([source])
})

function fail(): never {
  throw new Error('not now')
}
