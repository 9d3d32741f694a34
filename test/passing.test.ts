import { setTimeout as pause } from 'node:timers/promises'
import { passingFacts } from '@fusionize/local'
import { measure, storeFacts } from '@fusionize/planner'
import { expect, onTestFinished, test } from 'vitest'
import { type Item, mapsSetup, startMapsApp } from './support/maps-app.js'

const items = [1, 2, 3].map((i): Item => ({ name: `item-${i}-${'x'.repeat(2000)}`, steps: [{ note: 'made' }] }))
const spec = (how: 'local' | 'direct' | 'store', more = {}) => ({
  main: { ...more, passing: { work: how } },
  work: { passing: { note: how } },
})

async function passedBy(change: Parameters<typeof mapsSetup>[1], emulatePassing = true) {
  const app = await startMapsApp({ emulatePassing })
  onTestFinished(() => app.stop())
  await app.deploy(mapsSetup(app.app, change))
  const told = await app.request('main', { items })
  expect((told as { name: string }[][])[0]?.map(({ name }) => name)).toEqual(items.map(({ name }) => name))
  const records = await app.records()
  expect(app.noted()).toHaveLength(3)
  return { app, records, of: (task: string) => records.filter((record) => record.task === task) }
}

test('the figures are those that the planner has', () => {
  expect(storeFacts).toMatchObject(Object.fromEntries(Object.entries(passingFacts).filter(([key]) => key !== 'date')))
})

test('by store: one put for a map, a get an item, told in records as emulated, and billed', async () => {
  const { app, records, of } = await passedBy(spec('store'))
  const work = of('work')
  expect(work.map(({ passing }) => [passing?.how, passing?.gets, passing?.emulated])).toEqual(
    work.map(() => ['store', 1, true]),
  )
  expect(work.reduce((sum, { passing }) => sum + (passing?.puts ?? 0), 0)).toBe(1)
  for (const { passing } of work) {
    expect(passing?.bytes).toBeGreaterThan(2000)
    expect(passing?.ms).toBeGreaterThan(20)
  }
  for (const { passing, mode } of of('note')) expect([mode, passing?.how, passing?.puts]).toEqual(['send', 'store', 1])
  // The producer waits for its put: in the map that it makes.
  const [main] = of('main')
  for (const span of main?.spans.slice(1) ?? []) expect(span.end - span.start).toBeGreaterThan(35)
  const facts = { ...app.platform.facts(), cpuShareEnforced: true }
  expect(facts.passing).toMatch(/emulated with unverified figures of 2026-11 .*one node/)
  const cost = (all: typeof records) => measure([{ startMs: 0, latencyMs: 1, session: '' }], all, facts).cost
  const without = records.map(({ passing: _, ...record }) => record)
  const operations = 1e6 * (4 * passingFacts.putUsd + 6 * passingFacts.getUsd)
  expect((cost(records)?.requests ?? 0) - (cost(without)?.requests ?? 0)).toBeCloseTo(operations, 6)
  expect(cost(records)?.compute).toBeGreaterThan(cost(without)?.compute ?? Number.POSITIVE_INFINITY)
})

test('a bundle is one transfer', async () => {
  const { of } = await passedBy(spec('store', { bundle: { work: 3 } }))
  expect(of('work').map(({ passing }) => [passing?.puts, passing?.gets])).toEqual([[1, 1]])
})

test('directly: over the interface of the node, without operations', async () => {
  const { of } = await passedBy(spec('direct'))
  for (const { passing } of of('work')) expect(passing).toMatchObject({ how: 'direct', puts: 0, gets: 0, feeUsd: 0 })
})

test('on the same node, or without the emulation, as every payload', async () => {
  const local = await passedBy(spec('local'))
  expect(local.records.map(({ passing }) => passing)).not.toContainEqual(expect.anything())
  const off = await passedBy(spec('store'), false)
  expect(off.records.map(({ passing }) => passing)).not.toContainEqual(expect.anything())
  expect(off.app.platform.facts().passing).toBeUndefined()
  const { entries } = await off.app.platform.logs()
  expect(entries.map(({ message }) => message)).toContainEqual(expect.stringMatching(/without local\.emulatePassing/))
})

test('what is given up while its input is on its way does not begin, and its sandbox is free again', async () => {
  const app = await startMapsApp({ emulatePassing: { putMs: 0, getMs: 300 }, maxSandboxes: 2 })
  onTestFinished(() => app.stop())
  await app.deploy(mapsSetup(app.app, spec('store')))
  const waits = new AbortController()
  const request = app.request('main', { items: items.slice(1) }, { signal: waits.signal }).catch(() => 'given up')
  const busy = async () =>
    (await app.platform.status()).functions.some((one) => one.function === 'work' && one.sandboxes.busy > 0)
  while (!(await busy())) await pause(2)
  waits.abort()
  expect(await request).toBe('given up')
  const records = await app.records()
  expect(records.map(({ task }) => task)).toEqual(['main'])
  expect(app.noted()).toEqual([])
  expect(await app.request('main', { items: [] })).toEqual([[]])
})
