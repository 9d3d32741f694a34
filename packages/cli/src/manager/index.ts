import { cpSync, existsSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClients, createHands, factsOf, managerStore, settingsOf } from '@fusionize/aws'
import { strategies } from '@fusionize/planner'
import { createSealedBuilder, type SealedApp } from '@fusionize/platform/sealed'
import { FusionizeError } from 'fusionize'
import { type ManagerConfig, zipNames } from './config.js'
import { runLap } from './lap.js'

/** Ms of a run's time that are left for writing down how it went. */
const LAST_WORDS_MS = 10_000

const here = fileURLToPath(new URL('.', import.meta.url))
const config = readJson(zipNames.config) as ManagerConfig
const sealed = readJson(zipNames.sealed) as SealedApp
const clients = createClients(config.deploy.region)
const settings = settingsOf(sealed.name, config.deploy)
const strategy = Object.hasOwn(strategies, config.strategy) ? strategies[config.strategy] : undefined

/** What Lambda's schedule starts. */
export async function handler(_event: unknown, context: { awsRequestId: string; getRemainingTimeInMillis(): number }) {
  const beganMs = Date.now()
  if (!strategy)
    throw new FusionizeError('INVALID_CONFIG', `there is no strategy '${config.strategy}'; deploy again with another`)
  const { pollMs } = config
  const lastRun = await runLap({
    ...{ config, strategy, facts: factsOf(settings) },
    builder: createSealedBuilder(sealed, unpacked()),
    hands: createHands({
      ...config.deploy,
      app: sealed.app,
      clients,
      pace: { pollMs, patienceMs: context.getRemainingTimeInMillis() - LAST_WORDS_MS },
    }),
    store: managerStore(clients, settings),
    now: Date.now,
    run: {
      id: context.awsRequestId,
      beganMs,
      untilMs: beganMs + context.getRemainingTimeInMillis(),
      memoryMb: Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE),
    },
  })
  console.log(JSON.stringify({ fusionize: 'manager', ...lastRun }))
  return lastRun
}

/** The app's files where artifacts can be put beside them. */
function unpacked(): string {
  const root = join(tmpdir(), 'fusionize-app')
  if (!existsSync(root)) {
    const half = `${root}.${process.pid}`
    cpSync(join(here, zipNames.app), half, { recursive: true })
    renameSync(half, root)
  }
  return root
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(here, name), 'utf8'))
}
