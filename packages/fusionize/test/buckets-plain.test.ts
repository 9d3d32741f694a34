import { describe, expect, it } from 'vitest'
import {
  type BucketObject,
  bucket,
  byBatchSize,
  byName,
  bySet,
  byTime,
  custom,
  dynamicGroup,
  dynamicJoin,
  immediate,
  type Json,
  type ObjectMeta,
  redundant,
  task,
} from '../src/index.js'
import { drained } from '../src/testing.js'

describe('buckets outside a function', () => {
  it('immediate starts the task with the object, and the put does not wait for it', async () => {
    const order: unknown[] = []
    const consume = task('consume', async (object: BucketObject<{ n: number }>) => {
      order.push(['consume', object.key, object.value])
    })
    const numbers = bucket<{ n: number }>('numbers').on(immediate(), consume)
    const produce = task('produce', async () => {
      await numbers.put('a', { n: 1 })
      order.push('put')
      return 'done'
    })
    expect(await produce()).toBe('done')
    await drained()
    expect(order).toEqual(['put', ['consume', 'a', { n: 1 }]])
  })

  it('whoever asks until an object is there lets run what puts it, in its own time', async () => {
    const results = bucket<number>('results')
    const doubled = bucket<number>('doubled')
    const double = task('double', async ({ key, value }: BucketObject<number>) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      await doubled.put(key, 2 * value)
    })
    const numbers = bucket<number>('numbers').on(immediate(), double)
    const poll = task('poll', { result: results }, async () => {
      await numbers.put('a', 21)
      let found: number | undefined
      do found = await doubled.get('a')
      while (found === undefined)
      await results.put('result', found)
    })
    expect(await poll()).toBe(42)
  })

  it('an entry answers from a bucket through a set', async () => {
    const join = task('join', async (objects: BucketObject<number>[]) => {
      await answers.put(
        'sum',
        objects.map(({ value }) => value).reduce((a, b) => a + b),
      )
    })
    const parts = bucket<number>('parts').on(bySet(['x', 'y', 'z']), join)
    const answers = bucket<number>('answers')
    const part = task('part', async ({ key, value }: BucketObject<number>) => {
      await parts.put(key, value * 10)
    })
    const inputs = bucket<number>('inputs').on(immediate(), part)
    const entry = task('entry', { result: answers }, async () => {
      await inputs.put('z', 3)
      await inputs.put('y', 2)
      await inputs.put('x', 1)
    })
    expect(await entry()).toBe(60)
    await drained()
  })

  it('an entry whose bucket stays empty fails with NO_RESULT', async () => {
    const answers = bucket<number>('answers')
    const entry = task('entry', { result: answers }, async () => {})
    await expect(entry()).rejects.toMatchObject({ code: 'NO_RESULT' })
    const broken = task('broken', { result: answers }, async () => {
      throw new Error('on purpose')
    })
    await expect(broken()).rejects.toThrow('on purpose')
  })

  it('keys conflict within a session, not between sessions; the same bytes are no conflict', async () => {
    const box = bucket<number>('box')
    const both = task('both', async ([a, b]: number[]) => {
      await box.put('k', a as number)
      await box.put('k', b as number)
      return box.get('k')
    })
    expect(await both([1, 1])).toBe(1)
    await expect(both([1, 2])).rejects.toMatchObject({ code: 'KEY_CONFLICT' })
    expect(await both([2, 2])).toBe(2)
  })

  it('batches, names, k of n, joins and groups', async () => {
    const got: unknown[] = []
    const note = (name: string) =>
      task(name, async (objects: BucketObject<number>[]) => {
        got.push([name, objects[0]?.group ?? '', objects.map(({ key }) => key)])
      })
    const keys = task('keys', async (list: string[]) => {
      got.push(['keys', list])
    })
    const one = task('one', async ({ key, value }: BucketObject<number>) => {
      got.push(['one', key, value])
    })
    const b = bucket<number>('b')
      .on(byBatchSize(2, { scope: 'session', flush: true }), note('batch'))
      .on(byName('k2'), one)
      .on(redundant(2, 3, { delivers: 'keys' }), keys)
      .on(dynamicJoin(), note('join'))
      .on(dynamicGroup(), note('group'))
    const main = task('main', async () => {
      await b.expect({ sources: ['s'] })
      await b.put('k1', 1, { group: 'odd' })
      b.source('s')
      await b.put('k2', 2, { group: 'even' })
      await b.expect(['k3', 'k1'])
      await b.put('k3', 3, { group: 'odd' })
    })
    await main()
    await drained()
    expect(got).toEqual([
      ['batch', 'odd', ['k1', 'k2']],
      ['one', 'k2', 2],
      ['keys', ['k1', 'k2']],
      ['join', 'odd', ['k3', 'k1']],
      ['group', 'even', ['k2']],
      ['group', 'odd', ['k1', 'k3']],
      ['batch', 'odd', ['k3']],
    ])
  })

  it('windows close by themselves, over sessions, as sessions of their own', async () => {
    const windows: string[][] = []
    const sessions: string[] = []
    const count = task('count', async (objects: BucketObject<number>[], { session }) => {
      windows.push(objects.map(({ key }) => key))
      sessions.push(session, ...objects.map((object) => object.session))
    })
    const clicks = bucket<number>('clicks').on(byTime(50), count)
    const click = task('click', async (n: number) => clicks.put(`c${n}`, n))
    await Promise.all([click(1), click(2)])
    await drained()
    expect(windows.flat().sort()).toEqual(['c1', 'c2'])
    expect(new Set(sessions).size).toBe(sessions.length)
  })

  it('what is incomplete at the end goes to onIncomplete', async () => {
    const left: string[] = []
    const remind = task('remind', async (objects: BucketObject<number>[]) => {
      left.push(...objects.map(({ key }) => key))
    })
    const ship = task('ship', async (_: BucketObject<number>[]) => {})
    const order = bucket<number>('order').on(bySet(['paid', 'packed'], { onIncomplete: remind }), ship)
    const pack = task('pack', async () => order.put('packed', 1))
    await pack()
    await drained()
    expect(left).toEqual(['packed'])
  })

  it('what a session leaves goes to onIncomplete when it only declared, and after its last batch was flushed', async () => {
    const got: unknown[] = []
    const left = task('left', async (objects: BucketObject<number>[]) => {
      got.push(['left', objects.map(({ key }) => key)])
    })
    const batch = task('batch', async (objects: BucketObject<number>[]) => {
      got.push(['batch', objects.map(({ key }) => key)])
    })
    const joined = task('joined', async (_: BucketObject<number>[]) => {})
    const parts = bucket<number>('parts').on(dynamicJoin({ onIncomplete: left }), joined)
    const pages = bucket<number>('pages')
      .on(byBatchSize(2, { scope: 'session', flush: true }), batch)
      .on(byBatchSize(3, { scope: 'session', onIncomplete: left }), batch)
    const declare = task('declare', async () => parts.expect(['a']))
    const write = task('write', async () => pages.put('p', 1))
    await declare()
    await write()
    await drained()
    expect(got).toEqual([
      ['left', []],
      ['batch', ['p']],
      ['left', ['p']],
    ])
  })

  it('a session that ends, and one whose end makes work, leaves what application triggers hold to them', async () => {
    const got: string[] = []
    const all = task('all', async (objects: BucketObject<number>[]) => {
      got.push(...objects.map(({ key }) => key))
    })
    const clicks = bucket<number>('clicks')
      .on(byTime(30), all)
      .on(byBatchSize(3, { maxWaitMs: 60 }), all)
    const pages = bucket<number>('pages').on(byBatchSize(2, { scope: 'session', flush: true }), all)
    const click = task('click', async (n: number) => {
      await clicks.put(`c${n}`, n)
      await pages.put(`p${n}`, n)
    })
    for (const n of [1, 2, 3, 4]) await click(n)
    await drained()
    const clicked = ['c1', 'c2', 'c3', 'c4']
    expect(got.sort()).toEqual([...clicked, ...clicked, 'p1', 'p2', 'p3', 'p4'].sort())
  })

  it('a put after the end of its session is refused', async () => {
    const codes: unknown[] = []
    const box = bucket<number>('box')
    const late = task('late', async () => {
      setTimeout(() => box.put('k', 1).catch((error) => codes.push(error.code)), 10)
    })
    await late()
    await expect.poll(() => codes).toEqual(['SESSION_CLOSED'])
  })

  it('the code of a custom trigger gets objects that it can take apart, and is checked', async () => {
    const got: string[] = []
    const all = task('all', async (objects: BucketObject<number>[]) => {
      got.push(...objects.map(({ key }) => key))
    })
    const box = bucket<number>('box').on(
      custom('last-two', {
        scope: 'session',
        initial: null as Json,
        step: (before, event) =>
          event.kind !== 'put'
            ? { state: before }
            : before === null
              ? { state: { ...event.object } as unknown as Json }
              : { state: null, fire: [{ objects: [before as unknown as ObjectMeta, event.object] }] },
      }),
      all,
    )
    const fill = task('fill', async () => {
      for (const key of ['a', 'b', 'c', 'd']) await box.put(key, 1)
    })
    await fill()
    await drained()
    expect(got).toEqual(['a', 'b', 'c', 'd'])
  })

  it('a chain of a thousand buckets runs, and bytes arrive as bytes', async () => {
    let next = task('last', async ({ value }: BucketObject<Uint8Array>) => end.put('n', value))
    const end = bucket<Uint8Array>('end')
    for (let i = 0; i < 1000; i++) {
      const to = bucket<Uint8Array>(`b${i}`).on(immediate(), next)
      next = task(`t${i}`, async ({ value }: BucketObject<Uint8Array>) => {
        await to.put('k', value)
      })
    }
    const start = bucket<Uint8Array>('start').on(immediate(), next)
    const entry = task('entry', { result: end }, async (bytes: Uint8Array) => start.put('k', bytes))
    expect(await entry(new Uint8Array([1, 2, 3]))).toEqual(new Uint8Array([1, 2, 3]))
    await drained()
  })

  it('says what is wrong with a put outside a task, a bad key, a bad promise', async () => {
    const box = bucket<number>('box')
    const run = (body: () => Promise<unknown>) => task('run', async () => void (await body()))()
    await expect(box.put('k', 1)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await expect(run(() => box.put('', 1))).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    await expect(run(() => box.expect(['a', 'a']))).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    await expect(run(() => box.expect(['a']))).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    const from = task('from', async () => {})
    await expect(run(() => box.expect({ key: 'k', from, within: -1 }))).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
    })
  })

  it('all buckets of a session flush before one is closed', async () => {
    const got: string[][] = []
    const pair = task('pair', async (objects: BucketObject<number>[]) => {
      got.push(objects.map(({ key }) => key))
    })
    const sink = bucket<number>('sink').on(bySet(['a', 'b']), pair)
    const page = task('page', async (_: BucketObject<number>[]) => sink.put('b', 2))
    const pages = bucket<number>('pages').on(byBatchSize(10, { scope: 'session', flush: true }), page)
    const main = task('main', async () => {
      await sink.put('a', 1)
      await pages.put('p', 1)
    })
    await main()
    await drained()
    expect(got).toEqual([['a', 'b']])
  })
})
