import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type AwsPlatform, type AwsPlatformOptions, createAwsPlatform, createClients } from '@fusionize/aws'
import { type Builder, createBuilder } from '@fusionize/platform'
import { type Aws, startAws } from '../double/index.js'

/** Lambda's minutes between retries in a double whose minutes take 60 ms. */
const RETRY_MS = 55
/** The double settles in milliseconds. */
const pace = { pollMs: 20, settleMs: 0, patienceMs: 20_000 }

export interface AwsBed {
  aws: Aws
  platform: AwsPlatform
  /** A platform that has deployed nothing; whoever opens it ends it. */
  open(): AwsPlatform
  builder: Builder
  stop(): Promise<void>
}

/** An AWS on this machine, the platform on it, and a builder of an application for it. */
export async function startAwsBed(
  appDir: string,
  app: string,
  options: Partial<AwsPlatformOptions> = {},
): Promise<AwsBed> {
  const aws = await startAws()
  mkdirSync(`${appDir}/.fusionize`, { recursive: true })
  const outDir = mkdtempSync(`${appDir}/.fusionize/aws-`)
  const builder = createBuilder({
    appDir,
    name: app,
    taskDirs: ['tasks'],
    outDir,
    adapter: fileURLToPath(import.meta.resolve('@fusionize/aws/runtime')),
    evaluator: fileURLToPath(import.meta.resolve('@fusionize/aws/runtime/buckets')),
  })
  const { account, credentials, endpoint, region } = aws
  const open = () =>
    createAwsPlatform({
      ...{ app, account, region, clients: createClients(region, { endpoint, credentials }) },
      retryMs: RETRY_MS,
      run: { pace },
      ...options,
    })
  const platform = open()
  return {
    aws,
    platform,
    open,
    builder,
    async stop() {
      await platform.destroy()
      await builder.dispose()
      await aws.close()
      rmSync(outDir, { recursive: true, force: true })
    },
  }
}
