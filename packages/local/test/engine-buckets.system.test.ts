import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createBuilder } from '@fusionize/platform'
import { parseRecord } from 'fusionize/record'
import { remoteSetup } from 'fusionize/setup'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startPlatform } from './engine-app.js'

const here = dirname(fileURLToPath(import.meta.url))

const placements = [
  { isolation: 'threads', spin: false },
  { isolation: 'threads', spin: true },
  { isolation: 'processes', spin: false },
] as const
type Placement = (typeof placements)[number]

/** The fixture's tasks apart, but for buckets that a function evaluates itself. */
async function started({ isolation, spin }: Placement, fn: string, buckets: string[]) {
  const builder = createBuilder({
    appDir: join(here, 'fixtures/buckets'),
    name: 'buckets-fixture',
    taskDirs: ['tasks'],
    outDir: '.fusionize/build',
    adapter: fileURLToPath(import.meta.resolve('@fusionize/local/sandbox')),
  })
  const setup = remoteSetup(await builder.scan(), 256)
  const spec = setup.functions[fn]
  if (spec) spec.buckets = buckets
  const { platform, stop } = await startPlatform({ isolation, spin })
  onTestFinished(async () => {
    await stop()
    await builder.dispose()
  })
  await platform.deploy(await builder.build(setup))
  return { platform, records: async () => (await platform.records()).lines.map(parseRecord) }
}

describe.each(placements)('what a bucket starts as an invocation of its own, $isolation, spin: $spin', (placement) => {
  it('begins in the sandbox that has its data', async () => {
    const { platform, records } = await started(placement, 'relay', ['first', 'second'])
    for (let i = 0; i < 3; i++) expect(await platform.invoke('relay', '4')).toMatchObject({ ok: true, output: '50' })
    await platform.drained()
    const all = await records()
    expect(all.map(({ task }) => task).sort()).toEqual([
      ...Array(3).fill('last'),
      ...Array(3).fill('middle'),
      ...Array(3).fill('relay'),
    ])
    expect(new Set(all.map(({ sandbox }) => sandbox)).size).toBe(1)
    expect(all.filter(({ task }) => task === 'middle').map(({ fired }) => fired?.bucket)).toEqual([
      'first',
      'first',
      'first',
    ])
  })

  it.each([true, false])('has the large objects that were put, whichever way it went (shared: %s)', async (shared) => {
    const { platform, records } = await started(placement, 'haul', ['blobs', 'answers'])
    for (let i = 0; i < 3; i++) {
      const request = JSON.stringify({ times: 6, shared })
      expect(await platform.invoke('haul', request)).toMatchObject({ ok: true, output: '70007' })
    }
    await platform.drained()
    expect(await platform.deadLetters()).toEqual([])
    expect((await records()).filter(({ task }) => task === 'weigh')).toHaveLength(18)
  })

  it('has its own time: what was before it is over when it begins, though it keeps the thread', async () => {
    const { platform, records } = await started(placement, 'slow', ['third'])
    await platform.send('slow', '300')
    await platform.drained()
    expect(await platform.deadLetters()).toEqual([])
    const all = await records()
    expect(all.map(({ task, attempt }) => `${task} ${attempt}`)).toEqual(['slow 1', 'keep 1'])
    expect(new Set(all.map(({ sandbox }) => sandbox)).size).toBe(1)
  })
})
