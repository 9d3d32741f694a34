import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GetFunctionUrlConfigCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { type AwsPlatformOptions, names } from '@fusionize/aws'
import { allFusedSetup, type FusionSetup } from 'fusionize/setup'
import { type AwsBed, startAwsBed } from './platform.js'

const appDir = fileURLToPath(new URL('../fixtures/entries', import.meta.url))

/** The application of `fixtures/entries` on an AWS of its own, open to everybody. */
export interface EntriesApp extends AwsBed {
  /** Where its tasks leave files. */
  notes: string
  /** @param base @default everything fused */
  deploy(edit?: (setup: FusionSetup) => void, base?: typeof allFusedSetup): Promise<void>
  /** Address of an entry. */
  url(fn: string): Promise<string>
}

export async function startEntriesApp(options: Partial<AwsPlatformOptions> = {}): Promise<EntriesApp> {
  const notes = mkdtempSync(join(tmpdir(), 'fusionize-entries-'))
  const bed = await startAwsBed(appDir, 'entries', { functionUrlAuth: 'NONE', ...options })
  const app = await bed.builder.scan()
  const lambda = new LambdaClient(bed.aws.client)
  return {
    ...bed,
    notes,
    async deploy(edit = () => {}, base = allFusedSetup) {
      const setup = base(app, 256)
      edit(setup)
      await bed.platform.deploy(await bed.builder.build(setup, { NOTES: notes }))
    },
    async url(fn) {
      const FunctionName = names.functionName(names.prefixOf('entries'), fn)
      const { FunctionUrl = '' } = await lambda.send(
        new GetFunctionUrlConfigCommand({ FunctionName, Qualifier: names.liveAlias }),
      )
      return FunctionUrl
    },
    async stop() {
      await bed.stop()
      rmSync(notes, { recursive: true, force: true })
    },
  }
}
