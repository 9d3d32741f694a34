import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Item, mapsSetup, type Step, startMapsApp, type Told } from './support/maps-app.js'

let app: Awaited<ReturnType<typeof startMapsApp>>
beforeAll(async () => {
  app = await startMapsApp()
})
afterAll(() => app.stop())

const inline = { call: [], send: [], map: ['work'] }
const items = (count: number, ...steps: Step[]): Item[] =>
  Array.from({ length: count }, (_, i) => ({ name: `item-${i}`, steps }))
const threadsOf = (told: unknown) => new Set((told as Told[][]).at(-1)?.map(({ thread }) => thread))

test.each([
  [1, 5],
  [2, 3],
  [4, 2],
  [16, 1],
])('bundles of %i take 5 items in %i invocations, each a run of its own', async (size, invocations) => {
  await app.deploy(mapsSetup(app.app, { main: { bundle: { work: size } } }))
  await app.records()
  const told = await app.request('main', { items: items(5) })
  expect((told as Told[][])[0]?.map(({ name }) => name)).toEqual(items(5).map(({ name }) => name))
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

describe.each([
  ['inline', { main: { inline, parallel: 'threads' as const } }],
  ['in a bundle', { main: { bundle: { work: 8 } }, work: { parallel: 'threads' as const } }],
])('CPU-bound items %s', (_, change) => {
  test('run on as many threads as the function has cores, and records say so', async () => {
    await app.deploy(mapsSetup(app.app, change), { THREADS: '1' })
    await app.records()
    const told = await app.request('main', { items: items(8, { spin: 20 }) })
    expect(threadsOf(told).size).toBe(2)
    const spans = (await app.records()).flatMap(({ spans }) => spans)
    expect(spans.filter(({ task, pooled }) => task === 'work' && pooled)).toHaveLength(8)
  })
})
