import { setTimeout as pause } from 'node:timers/promises'
import { bucket, byBatchSize, bySet, immediate, task } from 'fusionize'
import { bucketOf } from 'fusionize/buckets'
import type { ObjectRef } from 'fusionize/runtime'
import { describe, expect, it, onTestFinished } from 'vitest'
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
  const retained: unknown[] = []
  const ports = {
    append: async (more: BucketEvent[]) => void events.push(...more),
    accept: async (sends: Send[]) => void fired.push(...sends.map(({ id }) => id)),
    isOpen: () => true,
    isAccepted: () => false,
    findSend: () => undefined,
    again: (send: Send) => void again.push(send),
    log: () => {},
    currentSetup: () => 'setup',
    now: () => nowMs,
    large: {
      store: { charge() {}, discharge() {}, room: () => undefined },
      intern: (value: unknown) => ({ value }),
      retain: (value: unknown) => void retained.push(value),
      release: (value: unknown) => void released.push(value),
      renewed: () => {},
      finished: () => {},
      gone: () => {},
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
    /** Values that nothing refers to any more. */
    released() {
      const rest = [...released]
      for (const value of retained) rest.splice(rest.indexOf(value), 1)
      return rest.sort()
    },
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
  expect(node.released()).not.toContain('3')
  expect(node.buckets.inspect('s')?.ended).toBe(true)
  node.buckets.quiet('s')
  // The second `a` is the first one again.
  expect(node.released()).toEqual(['1', '1', '2', '3'])
})

describe('what a sandbox evaluated, and did not live to hand over,', () => {
  const definition = () => bucket<number>('pieces').on(immediate(), consume)
  const accepted = { id: '', session: 's' } as Send

  /** Sandbox `box` put `a` and `b`, and was about to hand over what that fires. */
  function begun(changed: Partial<BucketPorts> = {}) {
    const node = nodeWith(definition(), changed)
    node.define()
    node.buckets.lease(node.sandbox, 's', true)
    void node.buckets.mirror(node.sandbox, 's', [node.head('a'), node.head('b')], ['1', '2'], 'no')
    return node
  }

  /** Ids of what `a` and `b` fire where nobody evaluates them before. */
  async function firings() {
    const plain = nodeWith(definition())
    plain.define()
    await plain.put('a', '1')
    await plain.put('b', '2')
    return plain.fired
  }

  it('is fired when the put is repeated', async () => {
    const node = begun()
    node.buckets.gone(node.sandbox)
    expect(node.fired).toEqual([])
    await node.put('a', '1')
    await node.put('b', '2')
    expect(node.fired).toEqual(await firings())
  })

  it('is not fired again when it was accepted', async () => {
    const [first = '', second] = await firings()
    const node = begun()
    node.buckets.accepted([{ ...accepted, id: first }])
    node.buckets.gone(node.sandbox)
    await node.put('a', '1')
    await node.put('b', '2')
    expect(node.fired).toEqual([second])
  })

  it.each(['', ', also after a restart of the platform'])(
    'is not fired again when the sandbox said that it was done%s',
    async (restarts) => {
      const [first = '', second] = await firings()
      const node = begun()
      void node.buckets.mirror(node.sandbox, 's', [], [], 'no', [first])
      node.buckets.gone(node.sandbox)
      const after = restarts ? nodeWith(definition()) : node
      if (restarts) for (const event of node.events) after.buckets.apply(event)
      if (restarts) after.define()
      await after.put('a', '1')
      await after.put('b', '2')
      expect(after.fired).toEqual([second])
    },
  )

  it.each(['journal', 'snapshot'])('is fired after a restart of the platform, with its %s', async (what) => {
    const [first, second] = await firings()
    const before = begun()
    const events = what === 'journal' ? before.events : [...before.buckets.snapshot()]
    const after = nodeWith(definition(), { isAccepted: (id) => id === first })
    for (const event of JSON.parse(JSON.stringify(events)) as BucketEvent[]) after.buckets.apply(event)
    after.define()
    await after.put('a', '1')
    await after.put('b', '2')
    expect(after.fired).toEqual([second])
  })

  it('is forgotten with its session', async () => {
    const node = begun()
    node.buckets.gone(node.sandbox)
    node.buckets.quiet('s')
    expect([...node.buckets.snapshot()].filter(({ type }) => type === 'owed')).toEqual([])
    const after = nodeWith(definition())
    for (const event of node.events) after.buckets.apply(event)
    after.define()
    expect([...after.buckets.snapshot()].filter(({ type }) => type === 'owed')).toEqual([])
  })

  it('keeps its large objects until then', async () => {
    const [first = ''] = await firings()
    const held: string[] = []
    const value = { ref: 'object', bytes: 9, json: true }
    const large = {
      store: { charge() {}, discharge() {}, room: () => undefined },
      intern: (given: unknown) => ({ value: given }),
      retain: ({ ref }: ObjectRef) => void held.push(ref),
      release: ({ ref }: ObjectRef) => void held.splice(held.indexOf(ref), 1),
    } as unknown as LargeObjects
    const node = nodeWith(definition(), { large })
    node.define()
    node.buckets.lease(node.sandbox, 's', true)
    // The reference that it came with.
    held.push('object')
    void node.buckets.mirror(node.sandbox, 's', [node.head('a')], [value] as never, 'no')
    // One is the bucket's, until the session ends.
    expect(held).toEqual(['object', 'object'])
    node.buckets.accepted([{ ...accepted, id: first }])
    expect(held).toEqual(['object'])
  })
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
