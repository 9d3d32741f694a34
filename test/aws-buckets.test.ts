import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AwsPlatformOptions, names as awsNames } from '@fusionize/aws'
import { fileStore } from '@fusionize/example-kit'
import { type AdEvent, adEvents, checkWindows, type WindowCount } from '@fusionize/example-kit/ads'
import { checkSorted, sumOfFile } from '@fusionize/example-kit/records'
import { type App, allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Aws } from '../packages/aws/test/double/index.js'
import { type AwsBed, startAwsBed } from '../packages/aws/test/support/platform.js'

const folder = (name: string) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url))
const setups = { remote: remoteSetup, fused: allFusedSetup }
const names = Object.keys(setups) as (keyof typeof setups)[]

/** An example on an AWS of its own, with a folder for what it keeps. */
function useBed(name: string, options: Partial<AwsPlatformOptions> = {}) {
  const used = {} as { bed: AwsBed; app: App; work: string }
  beforeAll(async () => {
    used.work = mkdtempSync(join(tmpdir(), `${name}-`))
    used.bed = await startAwsBed(folder(name), name, options)
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

describe('environments that are killed at work on AWS', () => {
  const sweepMs = 1000

  describe('of mapreduce-sort', () => {
    const used = useBed('mapreduce-sort', { sweepMs })

    it('lose nothing: what they have fired and not handed over the sweep hands over, what they ran Lambda runs again', async () => {
      const { app, work, deploy, invoke } = used
      const { aws, platform } = used.bed
      await deploy(remoteSetup(app, 256), { SORT_WORK: work })
      const killed = killAt(aws, 'mapreduce-sort', [
        // With a firing in its outbox, then before and amid its changes of the table.
        { function: 'map', operation: 'lambda:Invoke' },
        { function: 'reduce', operation: 'dynamodb:UpdateItem' },
        { function: 'reduce', operation: 'lambda:Invoke' },
        { function: 'finish', operation: 'dynamodb:UpdateItem' },
      ])
      const request = { seed: 3, records: 3000, mappers: 3, reducers: 2 }
      const answer = invoke<{ files: string[] }>('sort', request)
      const { files } = await sweeping(aws, answer)
      expect(checkSorted(files, sumOfFile(join(work, 'input-3-3000')))).toEqual([])
      expect(killed.left).toEqual([])
      await sweeping(aws, platform.drained())
      expect(await platform.deadLetters()).toEqual([])
    })
  })

  describe('of ad-events', () => {
    const used = useBed('ad-events', { sweepMs })

    it('lose no window: neither one that has fired and is not handed over, nor the time of one', async () => {
      const { app, work, deploy, invoke } = used
      const { aws, platform } = used.bed
      await deploy(remoteSetup(app, 256), { AD_EVENTS_STORE: work, AD_EVENTS_WINDOW_MS: '1000' })
      // Who hears the time is killed before what it fires is in the table; another time when it is, and not yet handed over.
      const killed = killAt(aws, 'ad-events', [
        { function: 'ingest', operation: 'dynamodb:UpdateItem', names: '"f:' },
        { function: 'ingest', operation: 'lambda:Invoke', names: 'ad-events-count' },
      ])
      const events: AdEvent[] = []
      for (let round = 0; killed.left.length > 0 && round < 8; round++) {
        const part = adEvents({ seed: 9, first: events.length, count: 50 })
        events.push(...part)
        // A request is not to be killed, and a window may end before it does.
        killed.isOn = false
        await invoke('ingest', { events: part })
        killed.isOn = true
        const views = events.filter(({ type }) => type === 'view').length
        const all = async () => expect(idsOf(await windowsIn(work)).length).toBe(views)
        await sweeping(aws, vi.waitFor(all, { timeout: 15_000, interval: 100 }))
      }
      expect(killed.left).toEqual([])
      expect(checkWindows(events, ['view'], await windowsIn(work))).toEqual([])
      await platform.drained()
      expect(await platform.deadLetters()).toEqual([])
    })
  })
})

interface Kill {
  function: string
  /** As in `lambda:Invoke`. */
  operation: string
  /** What its path or its body says. */
  names?: string
}

/** Kills the environments of functions, each at its next call of an operation, which is not carried out. @returns what has not happened yet */
function killAt(aws: Aws, app: string, kills: readonly Kill[]): { left: Kill[]; isOn: boolean } {
  const plan = { left: [...kills], isOn: true }
  aws.faults.watch(async ({ body, operation, path, principal, service }) => {
    const name = principal.kind === 'role' ? principal.role : ''
    const kill = plan.left.find(
      (one) =>
        awsNames.functionName(awsNames.prefixOf(app), one.function) === name &&
        one.operation === `${service}:${operation}` &&
        (path.includes(one.names ?? '') || body.includes(one.names ?? '')),
    )
    if (!kill || !plan.isOn) return
    plan.left.splice(plan.left.indexOf(kill), 1)
    await aws.lambda.killEnvironments(name)
    throw new Error('its environment was killed')
  })
  return plan
}

/** Every sweep again and again until something has happened. */
async function sweeping<T>(aws: Aws, until: Promise<T>): Promise<T> {
  const timer = setInterval(() => {
    for (const name of aws.scheduler.schedules.keys()) aws.scheduler.fire(name)
  }, 1000)
  return until.finally(() => clearInterval(timer))
}

/** What `count` has written. */
async function windowsIn(kept: string): Promise<WindowCount[]> {
  const store = fileStore(() => kept)
  const keys = await store.list('windows/')
  return Promise.all(keys.map(async (key) => (await store.get<WindowCount>(key)) as WindowCount))
}

function idsOf(windows: readonly WindowCount[]): string[] {
  return windows.flatMap(({ events }) => events)
}
