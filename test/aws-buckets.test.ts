import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fileStore } from '@fusionize/example-kit'
import { adEvents, checkWindows, type WindowCount } from '@fusionize/example-kit/ads'
import { checkSorted, sumOfFile } from '@fusionize/example-kit/records'
import { type App, allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type AwsBed, startAwsBed } from '../packages/aws/test/support/platform.js'

const folder = (name: string) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url))
const setups = { remote: remoteSetup, fused: allFusedSetup }
const names = Object.keys(setups) as (keyof typeof setups)[]

/** An example on an AWS of its own, with a folder for what it keeps. */
function useBed(name: string) {
  const used = {} as { bed: AwsBed; app: App; work: string }
  beforeAll(async () => {
    used.work = mkdtempSync(join(tmpdir(), `${name}-`))
    used.bed = await startAwsBed(folder(name), name)
    used.app = await used.bed.builder.scan()
  }, 300_000)
  afterAll(async () => {
    await used.bed?.stop()
    rmSync(used.work, { recursive: true, force: true })
  })
  async function deploy(setup: FusionSetup, env: Record<string, string>) {
    const { builder, platform } = used.bed
    await platform.deploy(await builder.build(setup, env))
  }
  async function invoke<T>(task: string, input: unknown): Promise<T> {
    const answer = await used.bed.platform.invoke(task, JSON.stringify(input))
    if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`)
    return JSON.parse(String(answer.output)) as T
  }
  return Object.assign(used, { deploy, invoke })
}

describe('mapreduce-sort on AWS', () => {
  const used = useBed('mapreduce-sort')

  it.each(names)('answers with files in order, nothing lost: %s', async (name) => {
    const { app, work, deploy, invoke } = used
    await deploy(setups[name](app, 256), { SORT_WORK: work })
    const request = { seed: 2, records: 5000, mappers: 3, reducers: 2 }
    const { files, ...reply } = await invoke<{ files: string[] }>('sort', request)
    expect(reply).toMatchObject({ records: 5000, mappers: 3, reducers: 2 })
    expect(checkSorted(files, sumOfFile(join(work, 'input-2-5000')))).toEqual([])
    await used.bed.platform.drained()
    expect(await used.bed.platform.deadLetters()).toEqual([])
  })
})

describe('ad-events on AWS', () => {
  const used = useBed('ad-events')

  it.each(names)('counts every view in one window, which the queue of times ends: %s', async (name) => {
    const { app, work, deploy, invoke } = used
    const kept = join(work, name)
    mkdirSync(kept)
    await deploy(setups[name](app, 256), { AD_EVENTS_STORE: kept, AD_EVENTS_WINDOW_MS: '500' })
    const events = adEvents({ seed: 7, count: 200 })
    for (const upTo of [100, 200]) {
      const part = events.slice(upTo - 100, upTo)
      await Promise.all([0, 25, 50, 75].map((at) => invoke('ingest', { events: part.slice(at, at + 25) })))
      const views = events.slice(0, upTo).filter(({ type }) => type === 'view')
      await vi.waitFor(async () => expect(idsOf(await windowsIn(kept)).length).toBe(views.length), { timeout: 15_000 })
    }
    await used.bed.platform.drained()
    const windows = await windowsIn(kept)
    expect(windows.length).toBeGreaterThanOrEqual(2)
    expect(checkWindows(events, ['view'], windows)).toEqual([])
    expect(await used.bed.platform.deadLetters()).toEqual([])
  })
})

/** What `count` has written. */
async function windowsIn(kept: string): Promise<WindowCount[]> {
  const store = fileStore(() => kept)
  const keys = await store.list('windows/')
  return Promise.all(keys.map(async (key) => (await store.get<WindowCount>(key)) as WindowCount))
}

function idsOf(windows: readonly WindowCount[]): string[] {
  return windows.flatMap(({ events }) => events)
}
