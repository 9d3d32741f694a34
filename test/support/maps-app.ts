import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { LocalPlatformOptions } from '@fusionize/local'
import type { InvokeOptions } from '@fusionize/platform'
import { type InvocationRecord, parseRecord } from 'fusionize/record'
import { encode } from 'fusionize/runtime'
import { type App, type FunctionSpec, type FusionSetup, remoteSetup } from 'fusionize/setup'
import type { Item, Step, Told } from '../fixtures/maps-app/lib/item.js'
import { localBuilder, outputOf, startLocal, temporaryFolder } from './local.js'

export type { Item, Step, Told }

/** MB that give a function two cores. */
export const TWO_CORES_MB = 3008

export function mapsAppBuilder() {
  return localBuilder(fileURLToPath(new URL('../fixtures/maps-app', import.meta.url)), 'maps-app')
}

/** Every task apart, with two cores; `change` alters single functions. */
export function mapsSetup(app: App, change: Record<string, Partial<FunctionSpec>> = {}): FusionSetup {
  const setup = remoteSetup(app, TWO_CORES_MB)
  for (const [name, spec] of Object.entries(change))
    setup.functions[name] = { ...(setup.functions[name] as FunctionSpec), ...spec }
  return setup
}

/** The fixture app `maps-app` on a platform; `stop` ends it. */
export async function startMapsApp(options: Partial<LocalPlatformOptions> = {}) {
  const folder = await temporaryFolder()
  const builder = mapsAppBuilder()
  const app = await builder.scan()
  const { platform, stop } = await startLocal('maps-app', {
    isolation: 'threads',
    durability: 'none',
    retryDelayMs: 10,
    ...options,
  })
  let runs = 0
  let notes = ''
  let cursor: string | undefined
  return {
    app,
    platform,
    /** Puts the setup into effect, with a file of its own for notes. */
    async deploy(
      setup: FusionSetup,
      env: Record<string, string> = {},
      options: { forceCold?: boolean } = {},
    ): Promise<void> {
      notes = join(folder.path, `notes-${runs++}`)
      writeFileSync(notes, '')
      await platform.deploy(await builder.build(setup, { NOTES: notes, ...env }), options)
    },
    async request(task: string, input: unknown, options?: InvokeOptions): Promise<unknown> {
      return outputOf(await platform.invoke(task, encode(input), options))
    },
    /** Lines that tasks noted so far, sorted. */
    noted: () => readFileSync(notes, 'utf8').split('\n').filter(Boolean).sort(),
    /** Resolves when items of these names have said that they are there. */
    async met(names: readonly string[]): Promise<void> {
      while (!names.every((name) => existsSync(`${notes}.${name}`))) await pause(5)
    },
    /** Says that something of this name is there. */
    meet: (name: string) => writeFileSync(`${notes}.${name}`, ''),
    /** The records since the last time, when nothing is under way. */
    async records(): Promise<InvocationRecord[]> {
      await platform.drained()
      const page = await platform.records(cursor)
      cursor = page.next
      return page.lines.map(parseRecord)
    },
    async stop() {
      await stop()
      await builder.dispose()
      await folder.remove()
    },
  }
}
