import { expect, test } from 'vitest'
import { type BucketMachine, type BucketTrigger, createBucketMachine } from './bucket-machine.js'
import type { BucketState } from './bucket-state.js'
import { mostEmptyWindows } from './by-time.js'
import { rememberedSessions } from './closed-sessions.js'
import {
  byBatchSize,
  byName,
  bySet,
  byTime,
  custom,
  dynamicGroup,
  dynamicJoin,
  immediate,
  redundant,
} from './constructors.js'
import { putIdOf } from './put-id.js'
import type { BucketEvent, ObjectMeta, StepResult } from './types.js'

/** A bucket under test; a trigger's task has the name of its kind. */
class Bucket {
  readonly machine: BucketMachine
  state: BucketState
  private puts = 0

  constructor(...specs: BucketTrigger['spec'][]) {
    this.machine = createBucketMachine(
      'frames',
      specs.map((spec) => ({ spec, task: spec.kind })),
      { checkPurity: true },
    )
    this.state = this.machine.init()
  }

  step(event: BucketEvent): StepResult {
    return this.machine.step(this.state, event)
  }

  put(key: string, more: Partial<ObjectMeta> & { atMs?: number } = {}): StepResult {
    const { atMs = 0, ...object } = more
    const putId = putIdOf(object.source ?? 'run', this.puts++)
    return this.step({
      kind: 'put',
      object: { key, seq: 0, putId, session: 's', hash: key, bytes: 1, ...object },
      atMs,
    })
  }

  time(nowMs: number): StepResult {
    return this.step({ kind: 'time', nowMs })
  }

  declare(what: { keys?: string[]; sources?: string[] }, id = `declare#${this.puts++}`): StepResult {
    return this.step({ kind: 'declare', session: 's', id, ...what })
  }

  done(source: string): StepResult {
    return this.step({ kind: 'sourceDone', session: 's', source })
  }

  end(session = 's'): StepResult {
    return this.step({ kind: 'sessionEnd', session })
  }
}

/** Keys of what fired, a list for every firing. */
function fired({ firings }: StepResult): string[][] {
  return firings.map(({ objects }) => objects.map(({ key }) => key))
}

function codeOf({ outcome, error }: StepResult): string {
  return error?.code ?? outcome
}

test('immediate fires for every new object', () => {
  const bucket = new Bucket(immediate())
  expect(fired(bucket.put('a'))).toEqual([['a']])
  expect(bucket.put('b').firings).toMatchObject([
    { bucket: 'frames', trigger: 0, task: 'immediate', scope: 's', ordinal: 1, sessions: [], incomplete: false },
  ])
})

test('byName fires for its key; others are there to be read', () => {
  const bucket = new Bucket(byName('total'))
  expect(fired(bucket.put('part'))).toEqual([])
  expect(fired(bucket.put('total'))).toEqual([['total']])
  expect(bucket.end().released.map(({ key }) => key)).toEqual(['part', 'total'])
})

test('bySet fires in the declared order, ignores other keys, and starts anew', () => {
  const bucket = new Bucket(bySet(['b', 'a']))
  expect([bucket.put('a'), bucket.put('x')].flatMap(fired)).toEqual([])
  const full = bucket.put('b')
  expect(fired(full)).toEqual([['b', 'a']])
  expect(full.released.map(({ key }) => key)).toEqual(['b', 'a'])
  expect(fired(bucket.put('b', { hash: 'other' }))).toEqual([])
  expect(fired(bucket.put('a', { hash: 'other' }))).toEqual([['b', 'a']])
})

test('byBatchSize gathers from all sessions, and names those that contributed', () => {
  const bucket = new Bucket(byBatchSize(3))
  bucket.put('a')
  bucket.put('a', { session: 't' })
  const { firings } = bucket.put('b')
  expect(firings).toMatchObject([{ scope: '', sessions: ['s', 't'] }])
  expect(firings[0]?.objects.map(({ seq }) => seq)).toEqual([1, 2, 3])
})

test('byBatchSize keeps what its sessions left when they end', () => {
  const bucket = new Bucket(byBatchSize(2))
  bucket.put('a')
  expect(bucket.end()).toMatchObject({ ended: true, released: [], discarded: [] })
  expect(bucket.put('b', { session: 't' })).toMatchObject({ firings: [{ sessions: ['s', 't'] }], released: [{}, {}] })
  expect([...bucket.state.sessions.keys()]).toEqual(['t'])
})

test('byBatchSize sends a batch that is not full when its oldest object has waited long enough', () => {
  const bucket = new Bucket(byBatchSize(3, { maxWaitMs: 10 }))
  expect(bucket.put('a', { atMs: 100 }).wakeMs).toBe(110)
  expect(bucket.put('b', { atMs: 109 }).wakeMs).toBe(110)
  expect(fired(bucket.time(109))).toEqual([])
  const due = bucket.time(110)
  expect(fired(due)).toEqual([['a', 'b']])
  expect(due.wakeMs).toBe(undefined)
})

test('byBatchSize flushes at the end of its scope only', () => {
  const bucket = new Bucket(byBatchSize(3, { flush: true }), byBatchSize(3, { scope: 'session', flush: true }))
  bucket.put('a')
  const first = bucket.end()
  expect(first).toMatchObject({ ended: false, firings: [{ trigger: 1, scope: 's', incomplete: false }] })
  expect(bucket.end().ended).toBe(true)
  expect(bucket.step({ kind: 'flush' })).toMatchObject({
    firings: [{ trigger: 0, scope: '' }],
    released: [{ key: 'a' }],
  })
  expect(bucket.state.sessions.size).toBe(0)
})

test('a session does not end while a timer of its batch runs', () => {
  const bucket = new Bucket(byBatchSize(3, { scope: 'session', maxWaitMs: 10 }))
  bucket.put('a', { atMs: 5 })
  expect(bucket.end()).toMatchObject({ ended: false, wakeMs: 15, discarded: [] })
  expect(fired(bucket.time(15))).toEqual([['a']])
  expect(bucket.end().ended).toBe(true)
})

test('byBatchSize cuts a queue that an earlier, larger n has left', () => {
  const large = new Bucket(byBatchSize(10))
  for (const key of ['a', 'b', 'c', 'd', 'e']) large.put(key)
  const small = new Bucket(byBatchSize(2))
  small.state = small.machine.restore(JSON.parse(JSON.stringify(large.state)))
  expect(fired(small.put('f', { putId: 'x#9' }))).toEqual([
    ['a', 'b'],
    ['c', 'd'],
    ['e', 'f'],
  ])
})

test('byTime fires at the end of a window, with the number of the window', () => {
  const bucket = new Bucket(byTime(10))
  expect(bucket.put('a', { atMs: 103 }).wakeMs).toBe(110)
  bucket.put('b', { atMs: 109, session: 't' })
  expect(fired(bucket.time(109))).toEqual([])
  expect(bucket.time(110).firings).toMatchObject([{ ordinal: 10, scope: '', sessions: ['s', 't'] }])
  expect(fired(bucket.time(130))).toEqual([])
})

test('a put ends the windows before it, and no object is late', () => {
  const bucket = new Bucket(byTime(10))
  bucket.put('a', { atMs: 103 })
  expect(fired(bucket.put('b', { atMs: 125 }))).toEqual([['a']])
  expect(fired(bucket.put('c', { atMs: 101 }))).toEqual([])
  expect(bucket.time(130).firings).toMatchObject([{ ordinal: 12, objects: [{ key: 'b' }, { key: 'c' }] }])
})

test('a put that ends the window of the old value under its key is a new object', () => {
  const bucket = new Bucket(byTime(10))
  bucket.put('a', { atMs: 103 })
  expect(codeOf(bucket.put('a', { atMs: 104, hash: 'other' }))).toBe('KEY_CONFLICT')
  expect(bucket.put('a', { atMs: 111, hash: 'other' })).toMatchObject({ outcome: 'accepted', released: [{ seq: 1 }] })
})

test('byTime fires missed windows once each, oldest first; empty ones only when asked to', () => {
  const silent = new Bucket(byTime(10))
  silent.put('a', { atMs: 103 })
  expect(silent.time(145).firings.map(({ ordinal }) => ordinal)).toEqual([10])
  const loud = new Bucket(byTime(10, { empty: true }))
  expect(loud.time(100).wakeMs).toBe(110)
  loud.put('a', { atMs: 113 })
  const { firings, wakeMs } = loud.time(145)
  expect(firings.map(({ ordinal, objects }) => [ordinal, objects.length])).toEqual([
    [11, 1],
    [12, 0],
    [13, 0],
  ])
  expect(wakeMs).toBe(150)
})

test('empty windows are made up for up to a bound', () => {
  const bucket = new Bucket(byTime(1, { empty: true }))
  bucket.time(1)
  const { firings } = bucket.time(1_000_000)
  expect(firings.length).toBe(1 + mostEmptyWindows)
  expect(firings.at(-1)?.ordinal).toBe(999_999)
})

test('redundant delivers the first k, and starts anew after the n-th', () => {
  const bucket = new Bucket(redundant(2, 3))
  expect(fired(bucket.put('c'))).toEqual([])
  expect(fired(bucket.put('a'))).toEqual([['c', 'a']])
  expect(codeOf(bucket.put('a', { hash: 'other' }))).toBe('KEY_CONFLICT')
  expect(bucket.put('b')).toMatchObject({ firings: [], released: [{ key: 'c' }, { key: 'a' }, { key: 'b' }] })
  expect([bucket.put('a', { hash: 'other' }), bucket.put('b')].map(fired)).toEqual([[], [['a', 'b']]])
  expect(bucket.end().discarded).toEqual([])
})

test('redundant with k = n starts anew too', () => {
  const bucket = new Bucket(redundant(2, 2))
  const rounds = ['a', 'b', 'a', 'b'].map((key, i) => fired(bucket.put(key, { hash: `${i}` })))
  expect(rounds).toEqual([[], [['a', 'b']], [], [['a', 'b']]])
})

test('sessions do not share a count', () => {
  const bucket = new Bucket(redundant(2, 3))
  bucket.put('a')
  expect(fired(bucket.put('b', { session: 't' }))).toEqual([])
})

test('redundant cancels the sources that it does not need, each once', () => {
  const bucket = new Bucket(redundant(1, 3, { cancel: true }))
  bucket.declare({ sources: ['x', 'y'] })
  expect(bucket.put('a', { source: 'y' }).cancelled).toEqual([{ trigger: 0, session: 's', source: 'x' }])
  expect(bucket.put('b', { source: 'x' }).cancelled).toEqual([])
  expect(bucket.put('c', { source: 'z' }).cancelled).toEqual([{ trigger: 0, session: 's', source: 'z' }])
})

test('redundant cancels what is declared after it has fired, but not the winners', () => {
  const bucket = new Bucket(redundant(1, 3, { cancel: true }), redundant(1, 3))
  bucket.put('a', { source: 'y' })
  expect(bucket.declare({ sources: ['x', 'y'] }).cancelled).toEqual([{ trigger: 0, session: 's', source: 'x' }])
})

test.each([
  ['before', ['declare', 'a', 'x', 'b'], 3],
  ['after', ['a', 'x', 'b', 'declare'], 3],
  ['between', ['b', 'declare', 'a'], 2],
])('dynamicJoin fires in the declared order when declared %s the arrivals', (_, steps, firesAt) => {
  const bucket = new Bucket(dynamicJoin())
  const results = steps.map((name) => (name === 'declare' ? bucket.declare({ keys: ['b', 'a'] }) : bucket.put(name)))
  expect(results.map(fired)).toEqual(steps.map((_, i) => (i === firesAt ? [['b', 'a']] : [])))
})

test('dynamicJoin over nothing fires with nothing', () => {
  expect(fired(new Bucket(dynamicJoin()).declare({ keys: [] }))).toEqual([[]])
})

test('a second declaration is nothing new, or a conflict', () => {
  const bucket = new Bucket(dynamicJoin())
  bucket.declare({ keys: ['a', 'b'] })
  expect(codeOf(bucket.declare({ keys: ['a', 'b'] }))).toBe('accepted')
  const conflict = bucket.declare({ keys: ['b', 'a'] })
  expect(codeOf(conflict)).toBe('JOIN_CONFLICT')
  expect(conflict.error?.message).toContain(
    "bucket 'frames', session 's': keys are expected already: 'a', 'b'; now 'b', 'a'",
  )
  bucket.put('a')
  expect(fired(bucket.put('b'))).toEqual([['a', 'b']])
})

test('a declaration that is made again by a retry does not open a generation', () => {
  const bucket = new Bucket(dynamicJoin())
  bucket.declare({ keys: ['a'] }, 'run#0')
  bucket.put('a')
  expect(codeOf(bucket.declare({ keys: ['a'] }, 'run#0'))).toBe('duplicate')
  expect(bucket.end().discarded).toEqual([])
})

test('a declaration that no trigger waits for is a mistake', () => {
  const bucket = new Bucket(immediate())
  expect(codeOf(bucket.declare({ keys: ['a'] }))).toBe('INVALID_CONFIG')
  expect(bucket.declare({ sources: ['x'] }).error?.message).toContain('add a dynamicGroup()')
})

test('dynamicGroup fires once per group when all sources are done: groups by key, then source, then ordinal', () => {
  const bucket = new Bucket(dynamicGroup())
  bucket.put('4', { group: 'b', source: 'y', putId: putIdOf('y', 10) })
  bucket.put('3', { group: 'b', source: 'y', putId: putIdOf('y', 9) })
  bucket.put('1', { group: 'a', source: 'y', putId: putIdOf('y', 11) })
  bucket.put('2', { group: 'b', source: 'x' })
  bucket.done('x')
  expect(fired(bucket.declare({ sources: ['x', 'y'] }))).toEqual([])
  const { firings } = bucket.done('y')
  expect(firings.map(({ group, ordinal, objects }) => [group, ordinal, objects.map(({ key }) => key)])).toEqual([
    ['a', 0, ['1']],
    ['b', 1, ['2', '3', '4']],
  ])
})

test('a source that is done can add nothing, not even after its groups have fired', () => {
  const bucket = new Bucket(immediate(), dynamicGroup())
  bucket.declare({ sources: ['x'] })
  bucket.done('x')
  const late = bucket.put('a', { source: 'x' })
  expect(codeOf(late)).toBe('GROUP_CLOSED')
  expect(late.firings).toEqual([])
  bucket.declare({ sources: ['x'] })
  expect(codeOf(bucket.put('a', { source: 'x' }))).toBe('accepted')
  expect(bucket.done('x').firings).toMatchObject([{ trigger: 1, group: '' }])
})

test('a failed source is not done', () => {
  const bucket = new Bucket(dynamicGroup())
  bucket.declare({ sources: ['x', 'y'] })
  bucket.put('a', { source: 'x' })
  bucket.done('x')
  bucket.step({ kind: 'sourceFailed', session: 's', source: 'x' })
  expect(fired(bucket.done('y'))).toEqual([])
  expect(codeOf(bucket.put('b', { source: 'x' }))).toBe('accepted')
  expect(fired(bucket.done('x'))).toEqual([['a', 'b']])
})

test('a source that turns out to have failed after its groups fired may put again', () => {
  const bucket = new Bucket(dynamicGroup())
  bucket.declare({ sources: ['x'] })
  bucket.done('x')
  bucket.step({ kind: 'sourceFailed', session: 's', source: 'x' })
  expect(codeOf(bucket.put('a', { source: 'x' }))).toBe('accepted')
})

test('dynamicGroup declares its sources once', () => {
  const bucket = new Bucket(dynamicGroup())
  bucket.declare({ sources: ['x', 'y'] })
  expect(codeOf(bucket.declare({ sources: ['y', 'x'] }))).toBe('accepted')
  expect(codeOf(bucket.declare({ sources: ['y'] }))).toBe('JOIN_CONFLICT')
})

test('dynamicGroup of application scope gathers over sessions and forgets the sources of those that ended', () => {
  const bucket = new Bucket(dynamicGroup({ scope: 'application' }))
  bucket.put('a', { group: 'g', source: 's/x' })
  bucket.put('a', { group: 'g', source: 't/x', session: 't' })
  bucket.done('s/x')
  bucket.declare({ sources: ['s/x', 't/x'] })
  bucket.end()
  const { firings } = bucket.step({ kind: 'sourceDone', session: 't', source: 't/x' })
  expect(firings).toMatchObject([{ scope: '', group: 'g', sessions: ['s', 't'] }])
  bucket.end('t')
  bucket.end('s')
  expect(JSON.stringify(bucket.state.application)).not.toContain('t/x')
})

const everySecond = custom('every-second', {
  scope: 'session',
  initial: 0,
  step: (count, event) => {
    if (event.kind !== 'put') return { state: count }
    const { object } = event
    return count % 2 ? { state: count + 1, fire: [{ objects: [object] }] } : { state: count + 1, close: [object] }
  },
})

test('a custom trigger fires, closes and counts as its code says', () => {
  const bucket = new Bucket(everySecond)
  expect(bucket.put('a')).toMatchObject({ firings: [], released: [{ key: 'a' }] })
  expect(fired(bucket.put('b'))).toEqual([['b']])
  expect(fired(bucket.put('b', { hash: 'new' }))).toEqual([])
})

test('a custom trigger may deliver an object again and be woken', () => {
  const sliding = custom('last-two', {
    scope: 'application',
    initial: [] as { key: string }[],
    step: (last, event, nowMs) => {
      if (event.kind === 'time') return { state: [], fire: [{ objects: last as ObjectMeta[], group: 'idle' }] }
      if (event.kind !== 'put') return { state: last }
      const state = [...last.slice(-1), { ...event.object }]
      return { state, fire: [{ objects: state as ObjectMeta[], keep: true }], wakeMs: nowMs + 5 }
    },
  })
  const bucket = new Bucket(sliding)
  bucket.put('a', { atMs: 1 })
  const second = bucket.put('b', { atMs: 2 })
  expect(fired(second)).toEqual([['a', 'b']])
  expect(second).toMatchObject({ released: [], wakeMs: 7 })
  expect(bucket.time(7)).toMatchObject({ firings: [{ group: 'idle' }], released: [{ key: 'a' }, { key: 'b' }] })
})

test('custom code that throws harms nobody else, and its objects are recorded at the end', () => {
  const broken = custom('broken', {
    scope: 'session',
    initial: null,
    step: (state, event) => {
      if (event.kind === 'put') throw new TypeError('no')
      return { state }
    },
  })
  const bucket = new Bucket(broken, immediate())
  const result = bucket.put('a')
  expect(result).toMatchObject({ outcome: 'accepted', failures: [{ trigger: 0 }], firings: [{ trigger: 1 }] })
  expect(bucket.end().discarded).toMatchObject([{ trigger: 0, objects: [{ key: 'a' }] }])
})

test.each<[string, BucketTrigger['spec'], string]>([
  [
    'changes its state in place',
    custom('x', {
      scope: 'session',
      initial: [0],
      step: (state) => {
        state.push(1)
        return { state }
      },
    }),
    'changed its state in place',
  ],
  [
    'draws lots',
    custom('x', { scope: 'session', initial: 0, step: () => ({ state: Math.random() }) }),
    'two results for the same state and event',
  ],
])('dev mode finds a custom trigger that %s', (_, spec, message) => {
  expect(String(new Bucket(spec).put('a').failures[0]?.error)).toContain(message)
})

test('the same put is no event, ever: not under a live key, not after its generation, not with other bytes', () => {
  const bucket = new Bucket(bySet(['a']), immediate())
  const again = { putId: 'run#77' }
  expect(fired(bucket.put('a', again))).toEqual([['a'], ['a']])
  expect(bucket.put('a', again)).toMatchObject({ outcome: 'duplicate', firings: [] })
  expect(bucket.put('a', { ...again, hash: 'other' })).toMatchObject({ outcome: 'duplicate', firings: [] })
})

test('a put that was known by its bytes stays known', () => {
  const bucket = new Bucket(bySet(['a', 'b']))
  bucket.put('a')
  expect(bucket.put('a', { putId: 'retry#0' })).toMatchObject({ outcome: 'duplicate', firings: [] })
  bucket.put('b')
  expect(codeOf(bucket.put('a', { putId: 'retry#0' }))).toBe('duplicate')
  expect(codeOf(bucket.put('a', { putId: 'retry#1' }))).toBe('accepted')
})

test('a key is live until all triggers that hold it have closed it', () => {
  const bucket = new Bucket(bySet(['a']), bySet(['a', 'b']), immediate())
  bucket.put('a')
  const conflict = bucket.put('a', { hash: 'other' })
  expect(codeOf(conflict)).toBe('KEY_CONFLICT')
  expect(conflict.error?.details).toEqual({ bucket: 'frames', session: 's', key: 'a' })
  expect(bucket.put('b').released.map(({ key }) => key)).toEqual(['a', 'b'])
  expect(fired(bucket.put('a', { hash: 'other' }))).toEqual([['a'], ['a']])
})

test('a key that nothing gathers is live until its session ends', () => {
  const bucket = new Bucket(immediate())
  bucket.put('a')
  expect(codeOf(bucket.put('a', { hash: 'other' }))).toBe('KEY_CONFLICT')
  expect(codeOf(bucket.put('a', { hash: 'other', session: 't' }))).toBe('accepted')
})

test('a refused put leaves no trace', () => {
  const bucket = new Bucket(bySet(['a', 'b']))
  bucket.put('a')
  const before = JSON.stringify(bucket.state)
  expect(codeOf(bucket.put('a', { hash: 'other' }))).toBe('KEY_CONFLICT')
  expect(JSON.stringify(bucket.state)).toBe(before)
})

test('sequence numbers count per session, or per bucket when a trigger sees the application', () => {
  const own = new Bucket(immediate())
  const all = new Bucket(immediate(), byBatchSize(9))
  const seqs = (bucket: Bucket) =>
    ['s', 't', 's'].map((session, i) => bucket.put(`${i}`, { session }).firings[0]?.objects[0]?.seq)
  expect(seqs(own)).toEqual([1, 1, 2])
  expect(seqs(all)).toEqual([1, 2, 3])
})

test('nothing can be put after the end of a session', () => {
  const bucket = new Bucket(dynamicGroup(), dynamicJoin())
  bucket.end()
  expect(codeOf(bucket.put('a'))).toBe('SESSION_CLOSED')
  expect(codeOf(bucket.declare({ keys: [] }))).toBe('SESSION_CLOSED')
  expect(bucket.done('x')).toMatchObject({ outcome: 'accepted', firings: [] })
  expect(bucket.end()).toMatchObject({ ended: true, discarded: [] })
  expect(bucket.state.sessions.size).toBe(0)
})

test('a bounded number of ended sessions is remembered', () => {
  const bucket = new Bucket(immediate())
  for (let i = 0; i < 3 * rememberedSessions; i++) bucket.end(`s${i}`)
  const { recent, older } = bucket.state.closed
  expect(recent.size + older.size).toBeLessThanOrEqual(2 * rememberedSessions)
  expect(codeOf(bucket.put('a', { session: `s${2 * rememberedSessions}` }))).toBe('SESSION_CLOSED')
})

test('what is incomplete when a session ends is recorded, with what was missing', () => {
  const bucket = new Bucket(bySet(['a', 'b']), redundant(2, 3), dynamicJoin(), dynamicGroup())
  bucket.declare({ keys: ['c', 'a'], sources: ['x'] })
  bucket.put('a')
  const { discarded, released, ended } = bucket.end()
  expect(discarded.map(({ trigger, objects, missing }) => [trigger, objects.length, missing])).toEqual([
    [0, 1, ['b']],
    [1, 1, []],
    [2, 1, ['c']],
    [3, 1, ['x']],
  ])
  expect(released).toEqual([{ session: 's', key: 'a', seq: 1 }])
  expect(ended).toBe(true)
})

test('what is incomplete goes to onIncomplete instead, as a firing with a session of its own', () => {
  const bucket = new Bucket(bySet(['a', 'b'], { onIncomplete: 'report' }))
  bucket.put('a')
  bucket.put('b')
  bucket.put('b')
  expect(bucket.end()).toMatchObject({
    ended: true,
    discarded: [],
    firings: [{ task: 'report', incomplete: true, ordinal: 1, scope: 's', sessions: ['s'], objects: [{ key: 'b' }] }],
  })
})

test('ids of firings differ by bucket, trigger, scope and ordinal, and stay as they are', () => {
  const bucket = new Bucket(immediate(), immediate())
  const other = createBucketMachine('other', [{ spec: immediate(), task: 'x' }])
  const object = { key: 'a', seq: 0, putId: 'r#1', session: 's', hash: 'h', bytes: 1 }
  const ids = [
    bucket.put('a'),
    bucket.put('b'),
    bucket.put('a', { session: 't' }),
    other.step(other.init(), { kind: 'put', object, atMs: 0 }),
  ].flatMap(({ firings }) => firings.map(({ id }) => id))
  expect(new Set(ids).size).toBe(7)
  expect(ids[0]).toMatch(/^[0-9a-f]{16}-0$/)
  expect(ids[0]).toBe('5b145faa27859db8-0')
})

test('a saved state fits the triggers that wrote it, and those with more behind them', () => {
  const bucket = new Bucket(bySet(['a', 'b']))
  bucket.put('a')
  const saved = JSON.stringify(bucket.state)
  const more = new Bucket(bySet(['a', 'b']), immediate(), byBatchSize(1))
  more.state = more.machine.restore(JSON.parse(saved))
  const { firings } = more.put('b', { putId: 'x#1' })
  expect(firings.map(({ objects }) => objects.map(({ key, seq }) => `${key}${seq}`))).toEqual([
    ['a1', 'b2'],
    ['b2'],
    ['b2'],
  ])
  expect(() => new Bucket(bySet(['b', 'a'])).machine.restore(JSON.parse(saved))).toThrow(
    `the saved state of bucket 'frames' has bySet(["a","b"]) as trigger 0, not bySet(["b","a"])`,
  )
  expect(() => new Bucket().machine.restore(JSON.parse(saved))).toThrow('not none')
})

test('a custom trigger needs its code', () => {
  const spec = JSON.parse(JSON.stringify(everySecond))
  expect(() => new Bucket(spec)).toThrow("custom trigger 'every-second' came without its code")
})

test('a bucket needs a plain name', () => {
  expect(() => createBucketMachine('My Frames', [])).toThrow('lower-case letters, digits and dashes')
})

test('only buckets that use time ask for it', () => {
  expect(new Bucket(immediate(), bySet(['a']), byBatchSize(2)).machine.timed).toBe(false)
  expect(new Bucket(immediate(), byBatchSize(2, { maxWaitMs: 1 })).machine.timed).toBe(true)
})
