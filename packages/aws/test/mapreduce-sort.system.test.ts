import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkSorted, sumOfFile } from '@fusionize/example-kit/records'
import { type App, allFusedSetup, remoteSetup } from 'fusionize/setup'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AwsBed, startAwsBed } from './support/platform.js'

const appDir = fileURLToPath(new URL('../../../examples/mapreduce-sort', import.meta.url))

let bed: AwsBed
let work: string
let app: App

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'sort-'))
  bed = await startAwsBed(appDir, 'mapreduce-sort')
  app = await bed.builder.scan()
}, 300_000)
afterAll(async () => {
  await bed?.stop()
  rmSync(work, { recursive: true, force: true })
})

it.each([
  ['remote', remoteSetup],
  ['fused', allFusedSetup],
] as const)('a deployed sort answers with files in order, nothing lost, in the setup %s', async (_name, setupOf) => {
  const { builder, platform } = bed
  await platform.deploy(await builder.build(setupOf(app, 256), { SORT_WORK: work }))
  const request = { seed: 2, records: 5000, mappers: 3, reducers: 2 }
  const answer = await platform.invoke('sort', JSON.stringify(request))
  if (!answer.ok) throw new Error(JSON.stringify(answer.error))
  const { files, ...reply } = JSON.parse(String(answer.output)) as { files: string[] }
  expect(reply).toMatchObject({ records: 5000, mappers: 3, reducers: 2 })
  expect(checkSorted(files, sumOfFile(join(work, 'input-2-5000')))).toEqual([])
  await platform.drained()
  expect(await platform.deadLetters()).toEqual([])
}, 60_000)
