import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { names as awsNames, readDeployed } from '@fusionize/aws'
import { encode } from 'fusionize/runtime'
import { remoteSetup } from 'fusionize/setup'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AwsBed, startAwsBed } from '../packages/aws/test/support/platform.js'
import { bucketCases } from './support/bucket-cases.js'
import { firingsIn } from './support/buckets-app.js'
import { outputOf } from './support/local.js'
import { Notes } from './support/notes.js'
import type { Step } from './support/programs.js'

const fixture = fileURLToPath(new URL('fixtures/buckets-app', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'aws-buckets-'))
const path = (name: string) => join(folder, name)

describe('buckets on AWS', () => {
  const notes = new Notes(path('notes'))
  let bed: AwsBed
  beforeAll(async () => {
    bed = await startAwsBed(fixture, 'buckets-app', { sweepMs: 1000 })
    await deploy(256)
  }, 300_000)
  afterEach(() => notes.clear())
  afterAll(async () => {
    await bed?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  async function deploy(memoryMb: number): Promise<void> {
    const { builder, platform } = bed
    const setup = remoteSetup(await builder.scan(), memoryMb)
    await platform.deploy(await builder.build(setup, { NOTES: notes.file }))
  }

  async function drive(steps: Step[], platform = bed.platform): Promise<unknown[]> {
    return outputOf(await platform.invoke('drive', encode({ name: 'steps', steps }))) as unknown[]
  }

  async function firings(): Promise<string[]> {
    await bed.platform.drained()
    return firingsIn(notes)
  }

  for (const { name, run } of bucketCases) it(name, () => run({ platform: bed.platform, drive, firings }))

  it('and retries of tasks are told by what is deployed', async () => {
    const app = await bed.builder.scan()
    const { buckets, retries } = await readDeployed(new LambdaClient(bed.aws.client), awsNames.prefixOf('buckets-app'))
    expect(buckets).toEqual(Object.keys(app.buckets ?? {}).sort())
    expect(Object.fromEntries(retries)).toEqual({ burn: 0, mortal: 0, weigh: 0 })
  })

  it('are known to a platform that did not deploy them: it waits for what they start', async () => {
    const elsewhere = bed.open()
    try {
      await drive([{ put: 'burns', key: 'fire', value: path('fire') }], elsewhere)
      const functions = Object.keys((await bed.builder.scan()).tasks).length
      let queries = 0
      // Once it has looked at the list of each function twice, it waits.
      bed.aws.faults.watch(({ operation, principal }) => {
        if (principal.kind !== 'role' && operation === 'Query' && ++queries === 2 * functions)
          writeFileSync(path('fire'), '')
      })
      await elsewhere.drained()
      expect(firingsIn(notes)).toEqual(['burn fire'])
    } finally {
      bed.aws.faults.clear()
      await elsewhere.destroy()
    }
  })
})
