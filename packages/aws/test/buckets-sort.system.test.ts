import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Builder, createBuilder } from '@fusionize/platform'
import { remoteSetup } from 'fusionize/setup'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { LambdaHandler } from '../src/runtime/context.js'
import { ENVIRONMENT_VARIABLE } from '../src/runtime/environment.js'
import { Loopback } from './buckets/loopback.js'

const appDir = fileURLToPath(new URL('../../../examples/mapreduce-sort', import.meta.url))

let outDir: string
let work: string
let builder: Builder
let all: Loopback

beforeAll(async () => {
  mkdirSync(`${appDir}/.fusionize`, { recursive: true })
  outDir = mkdtempSync(`${appDir}/.fusionize/test-`)
  work = mkdtempSync(join(tmpdir(), 'sort-'))
  process.env.SORT_WORK = work
  builder = createBuilder({
    ...{ appDir, name: 'mapreduce-sort', taskDirs: ['tasks'], outDir },
    ...{ adapter: '@fusionize/aws/runtime', evaluator: '@fusionize/aws/runtime/buckets' },
  })
  const { artifacts } = await builder.build(remoteSetup(await builder.scan(), 256))
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  // Where the artifacts' sources are does not matter here.
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  let count = 0
  all = await Loopback.start(Object.keys(artifacts), 2, async (fn, environment) => {
    process.env[ENVIRONMENT_VARIABLE] = JSON.stringify(environment)
    const { handler } = (await import(`${artifacts[fn]?.file}?${++count}`)) as { handler: LambdaHandler }
    return handler
  })
})

afterAll(async () => {
  vi.restoreAllMocks()
  await all?.close()
  await builder?.dispose()
  for (const folder of [outDir, work]) rmSync(folder, { recursive: true, force: true })
})

it('artifacts of an app that lives on buckets sort what they are given', async () => {
  const answer = await all.invoke('sort', {
    ...{ fusionize: 1, id: 'i', session: 's', task: 'sort', mode: 'call', external: true },
    input: { json: { records: 2000, mappers: 3, reducers: 2, memoryMb: 256 } },
    ...{ trace: '0'.repeat(32), parent: null, at: Date.now() },
  })
  expect((answer as { error?: unknown }).error).toBe(undefined)
  expect(answer).toMatchObject({ ok: true, output: { json: { records: 2000, mappers: 3, reducers: 2 } } })
  await all.quiet()
  expect(all.failed).toEqual([])
})
