import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Item, mapsSetup, type Step, startMapsApp, type Told } from './support/maps-app.js'

const inline = { call: [], send: [], map: ['work'] }
const bundled = { main: { bundle: { work: 8 } } }
const items = (count: number, ...steps: Step[]): Item[] =>
  Array.from({ length: count }, (_, i) => ({ name: `item-${i}`, steps: [...steps] }))
const namesOf = (told: unknown) => (told as Told[][]).map((all) => all.map(({ name }) => name))
const threadsOf = (told: unknown) => new Set((told as Told[][]).at(-1)?.map(({ thread }) => thread))

describe.each(['threads', 'processes'] as const)('sandboxes as %s', (isolation) => {
  let app: Awaited<ReturnType<typeof startMapsApp>>
  beforeAll(async () => {
    app = await startMapsApp({ isolation })
  })
  afterAll(() => app.stop())

  test.each([
    [1, 5],
    [2, 3],
    [4, 2],
    [16, 1],
  ])('bundles of %i take 5 items in %i invocations, each item a run of its own', async (size, invocations) => {
    await app.deploy(mapsSetup(app.app, { main: { bundle: { work: size } } }))
    await app.records()
    const told = await app.request('main', { items: items(5) })
    expect(namesOf(told)).toEqual([items(5).map(({ name }) => name)])
    const records = await app.records()
    const bundles = records.filter(({ task }) => task === 'work')
    expect(bundles).toHaveLength(invocations)
    expect(bundles.map((record) => record.items ?? 1).reduce((a, b) => a + b)).toBe(5)
    for (const { spans, items = 1 } of bundles) {
      expect(spans).toHaveLength(items)
      for (const span of spans) expect(span).toMatchObject({ parent: -1, task: 'work', route: 'inline' })
    }
    const main = records.find(({ task }) => task === 'main')
    expect(main?.spans.filter(({ mode, route }) => mode === 'map' && route === 'remote')).toHaveLength(5)
  })

  test('a map of nothing is nothing, and makes no invocation', async () => {
    await app.deploy(mapsSetup(app.app, bundled))
    await app.records()
    expect(await app.request('main', { items: [] })).toEqual([[]])
    expect((await app.records()).map(({ task }) => task)).toEqual(['main'])
  })

  test.each([1, 3, 8])('bytes travel in bundles of %i as they are', async (size) => {
    await app.deploy(mapsSetup(app.app, { frames: { bundle: { flip: size } } }))
    const flipped = await app.request('frames', { count: 7, bytes: 300_000 })
    expect(flipped).toEqual(Array.from({ length: 7 }, (_, i) => ['Uint8Array', 300_000, 255 - i, 255 - i]))
  })

  test.each([
    [1, 'loop'],
    [2, 'threads'],
    [3, undefined],
  ] as const)('I/O-bound items of a bundle interleave, on %i threads at most (%s)', async (most, parallel) => {
    const among = ['a', 'b', 'c', 'd', 'e', 'f']
    await app.deploy(mapsSetup(app.app, { ...bundled, work: { parallel } }), { THREADS: '1' })
    // Each goes on only when all are there.
    const met = await app.request('main', { items: among.map((name) => ({ name, steps: [{ meet: name, among }] })) })
    expect(namesOf(met)).toEqual([among])
    expect(threadsOf(met).size).toBeLessThanOrEqual(most)
  })

  test('CPU-bound items are found out by what they take: first on the loop, then on threads', async () => {
    await app.deploy(mapsSetup(app.app, { main: { inline } }), { THREADS: '1' })
    const heavy = items(6, { spin: 30 })
    const told = (await app.request('main', { items: heavy, again: heavy })) as Told[][]
    const [first, second] = told.map((all) => all.map(({ thread }) => thread))
    expect(new Set(first).size).toBe(3)
    expect(new Set(second).size).toBe(2)
    expect(second).not.toContain(first?.[0])
  })

  const briefly = { main: { inline: { ...inline, map: ['brief'] } } }
  describe.each([
    ['one a run', {}],
    ['in bundles', { main: { bundle: { brief: 3 } }, brief: { parallel: 'loop' as const } }],
    ['in bundles, on threads', { main: { bundle: { brief: 3 } }, brief: { parallel: 'threads' as const } }],
    ['inline', { main: { ...briefly.main, parallel: 'loop' as const } }],
    ['inline, on threads', { main: { ...briefly.main, parallel: 'threads' as const } }],
    ['inline, in processes', { main: { ...briefly.main, parallel: 'processes' as const } }],
  ])('the time limit of items %s', (_, change) => {
    const timeout = {
      name: 'FusionizeError',
      code: 'TIMEOUT',
      message: "task 'brief' did not finish within 1000 ms; raise its timeout option or make it faster",
      details: { task: 'brief', timeoutMs: 1000 },
    }

    test('is each item’s own, and its signal tells it', async () => {
      await app.deploy(mapsSetup(app.app, change))
      const given = items(4, { note: 'done' })
      given[1] = { name: 'late', steps: [{ hang: true }] }
      const error = await app.request('main', { items: given, brief: true }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject(timeout)
      await app.records()
      expect(app.noted().map((line) => line.split(' ')[0])).toEqual(['aborted', 'done', 'done', 'done'])
    })
  })

  test.each([
    ['inline', { main: { ...briefly.main, parallel: 'threads' as const } }],
    ['inline, in processes', { main: { ...briefly.main, parallel: 'processes' as const } }],
    ['in bundles', { main: { bundle: { brief: 4 } }, brief: { parallel: 'threads' as const } }],
  ])('an item that blocks its thread of a pool beyond its time is ended with it (%s)', async (_, change) => {
    await app.deploy(mapsSetup(app.app, change))
    const given = items(4)
    given[0] = { name: 'stuck', steps: [{ spin: 60_000 }] }
    const error = await app.request('main', { items: given, brief: true }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'TIMEOUT' })
    await app.records()
    expect(namesOf(await app.request('main', { items: items(4), brief: true }))[0]).toHaveLength(4)
  })

  test.each([
    ['in a bundle', bundled],
    ['inline, on threads', { main: { inline, parallel: 'threads' as const } }],
    ['in a bundle, in processes', { ...bundled, work: { parallel: 'processes' as const } }],
  ])('items %s hear that nobody waits any more', async (_, change) => {
    await app.deploy(mapsSetup(app.app, change))
    const among = ['a', 'b', 'c']
    const given = among.map((name): Item => ({ name, steps: [{ meet: name, among }, { hang: true }] }))
    const waits = new AbortController()
    const request = app.request('main', { items: given }, { signal: waits.signal }).catch(() => 'cancelled')
    await app.met(among)
    waits.abort()
    expect(await request).toBe('cancelled')
    await app.records()
    expect(app.noted().filter((line) => line.startsWith('aborted'))).toHaveLength(3)
  })

  describe.each([
    ['inline', 'threads', 'main', { main: { inline, parallel: 'threads' as const } }],
    ['inline', 'processes', 'main', { main: { inline, parallel: 'processes' as const } }],
    ['in a bundle', 'threads', 'work', { ...bundled, work: { parallel: 'threads' as const } }],
    ['in a bundle', 'processes', 'work', { ...bundled, work: { parallel: 'processes' as const } }],
  ])('CPU-bound items %s, on %s', (_, __, fn, change) => {
    beforeAll(async () => {
      await app.deploy(mapsSetup(app.app, change), { THREADS: '1' })
      await app.records()
    })

    test('use as many as the function has cores, and records say so', async () => {
      const told = await app.request('main', { items: items(8, { spin: 20 }) })
      expect(threadsOf(told).size).toBe(2)
      const spans = (await app.records()).flatMap(({ spans }) => spans)
      expect(spans.filter(({ task, pooled }) => task === 'work' && pooled)).toHaveLength(8)
      for (const { start, end } of spans) expect(end).toBeGreaterThanOrEqual(start)
    })

    test('call, map and send as any run does, and records tell one story', async () => {
      const steps: Step[] = [{ help: 4 }, { helps: [1, 2, 3] }, { note: 'sent' }, { flip: [1, 2] }]
      const told = (await app.request('main', { items: items(3, ...steps) }, { session: 's' })) as Told[][]
      for (const { invocation, session, results } of told[0] as Told[]) {
        expect(session).toBe('s')
        expect(results).toEqual([
          `8 ${invocation}.1`,
          [`2 ${invocation}.2`, `4 ${invocation}.3`, `6 ${invocation}.4`],
          null,
          [254, 253],
        ])
      }
      const records = await app.records()
      expect(app.noted().filter((line) => line.startsWith('sent s '))).toEqual(
        (told[0] as Told[]).map(({ invocation }) => expect.stringContaining(`sent s ${invocation}.5`)),
      )
      const ids = new Map(records.map((record) => [record.span.slice(0, 8), record]))
      for (const { parent, task, items = 1 } of records) {
        if (parent === null) continue
        const caller = ids.get(parent.slice(0, 8))
        const index = Number.parseInt(parent.slice(8), 16)
        for (let i = index; i < index + items; i++) expect(caller?.spans[i]).toMatchObject({ task, route: 'remote' })
      }
      const spans = records.flatMap((record) => record.spans.map((span) => ({ span, record })))
      expect(spans.filter(({ span }) => span.task === 'helper' && span.route === 'inline')).toHaveLength(12)
      for (const { span, record } of spans)
        if (span.route === 'remote')
          expect(record.spans[span.parent]?.task).toBe(span.task === 'work' ? 'main' : 'work')
    })

    test('fail for themselves alone, and the first in order is heard', async () => {
      const given = items(6, { spin: 3 })
      given[4]?.steps.unshift({ fail: 'soon' })
      given[2]?.steps.push({ pause: 30 }, { note: 'failed late' }, { fail: 'late' })
      given[5]?.steps.push({ note: 'not in vain' })
      const error = await app.request('main', { items: given }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'RangeError', message: 'late', code: 'E_FAIL', at: 'item-2' })
      const records = await app.records()
      const failed = records.flatMap(({ spans }) => spans).filter(({ task, error }) => task === 'work' && error)
      expect(new Set(failed.map((span) => span.error))).toEqual(new Set(['RangeError: late', 'RangeError: soon']))
      expect(app.noted().filter((line) => /failed late|not in vain/.test(line))).toHaveLength(2)
    })

    test.each([
      ['exit', 'SANDBOX_CRASHED', /exit code 3/],
      ['exception', 'SANDBOX_CRASHED', /nobody catches me/],
    ] as const)('that end their thread or process (%s) are the only ones that fail', async (how, code, message) => {
      await app.records()
      const given = items(6, { spin: 2 })
      given[3] = { name: 'fatal', steps: how === 'exception' ? [{ end: how }, { pause: 10_000 }] : [{ end: how }] }
      const error = await app.request('main', { items: given, again: items(2) }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
      const sandboxes = async () =>
        new Set((await app.records()).filter((record) => record.function === fn).map(({ sandbox }) => sandbox))
      const before = await sandboxes()
      expect(before.size).toBe(1)
      const told = await app.request('main', { items: items(4, { spin: 2 }) })
      expect(namesOf(told)[0]).toHaveLength(4)
      expect(await sandboxes()).toEqual(before)
    })
  })
})

test.each(['threads', 'processes'] as const)(
  'an item that fills its share of the memory (%s) fails alone',
  async (parallel) => {
    const app = await startMapsApp()
    onTestFinished(() => app.stop())
    await app.deploy(mapsSetup(app.app, { ...bundled, work: { parallel, memory: 2048 } }))
    const given = items(4)
    given[1] = { name: 'greedy', steps: [{ end: 'memory' }] }
    const error = await app.request('main', { items: given }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'OUT_OF_MEMORY', message: expect.stringMatching(/share of the memory/) })
    expect(namesOf(await app.request('main', { items: items(4) }))[0]).toHaveLength(4)
  },
)

test.each([
  ['in a bundle', 6, { main: { bundle: { brief: 9 } }, brief: { parallel: 'loop' as const } }],
  ['inline, on threads', 12, { main: { inline: { ...inline, map: ['brief'] }, parallel: 'threads' as const } }],
])('the time limit of items %s counts from the start of each', async (_, count, change) => {
  const app = await startMapsApp()
  onTestFinished(() => app.stop())
  await app.deploy(mapsSetup(app.app, change))
  const told = await app.request('main', { items: items(count, { spin: 250 }), brief: true })
  expect(namesOf(told)[0]).toHaveLength(count)
})

test.each(['threads', 'processes'] as const)(
  'items of a module that does not load in a pool (%s) run on the event loop',
  async (parallel) => {
    const app = await startMapsApp()
    onTestFinished(() => app.stop())
    await app.deploy(mapsSetup(app.app, { main: { inline, parallel } }), { NO_POOL: '1', THREADS: '1' })
    const told = await app.request('main', { items: items(4, { note: 'once' }), again: items(3) })
    expect((told as Told[][]).map((all) => all.length)).toEqual([4, 3])
    expect(threadsOf(told).size).toBe(1)
    await app.records()
    expect(app.noted()).toHaveLength(4)
  },
)
