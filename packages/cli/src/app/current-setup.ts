import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FusionizeError } from 'fusionize'
import { type App, type FusionSetup, normalizeSetup, printSetup, setupId, validate } from 'fusionize/setup'
import { firstSetup } from './first-setup.js'
import type { LoadedApp } from './load-app.js'

export interface CurrentSetup {
  setup: FusionSetup
  /** False: nothing was adopted yet (or no longer fits), so it is the first setup, everything remote. */
  adopted: boolean
  /** Why the adopted setup was passed over, in words. */
  ignored?: string
}

/** What `setup.json` holds; the notation is for people who look inside. */
interface StoredSetup {
  app: string
  id: string
  notation: string
  setup: FusionSetup
}

/** The adopted setup when there is one that fits the application as it is now, else the first. @param memoryLadder sizes that the platform offers, MB; absent = any */
export async function currentSetup(
  loaded: LoadedApp,
  app: App,
  memoryLadder?: readonly number[],
): Promise<CurrentSetup> {
  const first = () => firstSetup(app, loaded.config, memoryLadder)
  const stored = await readSetup(loaded)
  if (stored === undefined) return { setup: first(), adopted: false }
  const problem = misfit(stored, app, loaded, memoryLadder)
  if (problem === undefined) return { setup: stored as FusionSetup, adopted: true }
  const ignored = `the adopted setup in ${fileName} no longer fits: ${problem}; run 'fusionize optimize' again`
  return { setup: first(), adopted: false, ignored }
}

/** Makes a setup the one that `dev`, `invoke` and `send` use from now on. */
export async function adoptSetup(loaded: LoadedApp, app: App, setup: FusionSetup): Promise<void> {
  const stored: StoredSetup = {
    app: app.name,
    id: setupId(setup),
    notation: printSetup(setup, app),
    setup: normalizeSetup(setup),
  }
  const file = join(loaded.stateDir, fileName)
  await mkdir(loaded.stateDir, { recursive: true })
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify(stored, null, 2)}\n`)
  await rename(`${file}.${process.pid}`, file)
}

const fileName = 'setup.json'

async function readSetup(loaded: LoadedApp): Promise<unknown> {
  const file = join(loaded.stateDir, fileName)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    return undefined
  }
  try {
    return (JSON.parse(text) as StoredSetup | null)?.setup ?? null
  } catch (error) {
    throw new FusionizeError(
      'INVALID_SETUP',
      `${file} is not JSON: ${(error as Error).message}; delete it to start anew`,
    )
  }
}

function misfit(
  setup: unknown,
  app: App,
  loaded: LoadedApp,
  ladder: readonly number[] | undefined,
): string | undefined {
  const sizes = ladder ?? sizesIn(setup)
  const violations = validate(app, setup as FusionSetup, loaded.config.constraints, { memoryLadder: sizes })
  return violations[0]?.message
}

function sizesIn(setup: unknown): number[] {
  const functions = (setup as FusionSetup | null)?.functions
  return typeof functions === 'object' && functions !== null ? Object.values(functions).map((spec) => spec?.memory) : []
}
