import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LocalPlatformOptions } from '@fusionize/local'
import type { Build } from '@fusionize/platform'
import { encode } from 'fusionize/runtime'
import { type App, allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import { onTestFinished } from 'vitest'
import { localBuilder, outputOf, startLocal, temporaryFolder } from './local.js'
import { type Note, Notes } from './notes.js'
import type { Step } from './programs.js'

export type { Step }

type Spec = FusionSetup['functions'][string]

/** Where buckets and what they start can be: in the functions that put, or not. */
export const placements = {
  'buckets and tasks apart': (app: App, memoryMb: number) => remoteSetup(app, memoryMb),
  'buckets fused, tasks apart': (app: App, memoryMb: number) =>
    crossed(remoteSetup(app, memoryMb), allFusedSetup(app, memoryMb)),
  'tasks fused, buckets apart': (app: App, memoryMb: number) =>
    crossed(allFusedSetup(app, memoryMb), remoteSetup(app, memoryMb)),
  'buckets and tasks fused': (app: App, memoryMb: number) => allFusedSetup(app, memoryMb),
}

export type PlacementName = keyof typeof placements
export const placementNames = Object.keys(placements) as PlacementName[]

export function bucketsAppBuilder() {
  return localBuilder(fileURLToPath(new URL('../fixtures/buckets-app', import.meta.url)), 'buckets-app')
}

/** The fixture app `buckets-app` on a platform that ends with the test. */
export async function startBucketsApp(
  setupOf: (app: App) => FusionSetup,
  options: Partial<LocalPlatformOptions> = {},
  change: (build: Build) => Build = (build) => build,
) {
  const folder = await temporaryFolder()
  const notes = new Notes(join(folder.path, 'notes'))
  const builder = bucketsAppBuilder()
  const setup = setupOf(await builder.scan())
  const build = change(await builder.build(setup, { NOTES: notes.file }))
  await builder.dispose()
  const { platform, stop } = await startLocal('buckets-app', {
    isolation: 'threads',
    durability: 'none',
    retryDelayMs: 10,
    ...options,
  })
  onTestFinished(async () => {
    await stop()
    await folder.remove()
  })
  await platform.deploy(build)
  let sessions = 0
  return {
    platform,
    build,
    notes,
    /** A path that no other test has. */
    path: (name: string) => join(folder.path, name),
    /** Has `drive` do the steps in a session of its own. @returns what each gave */
    async drive(steps: Step[], session = `s${sessions++}`): Promise<unknown[]> {
      const request = encode({ name: session, steps })
      return outputOf(await platform.invoke('drive', request, { session })) as unknown[]
    },
    /** What triggers started, as `task keys`, sorted, when nothing is under way. */
    async firings(): Promise<string[]> {
      await platform.drained()
      return firingsIn(notes)
    },
  }
}

/** What triggers started, as `task keys`, sorted. */
export function firingsIn(notes: Notes): string[] {
  return notes
    .all()
    .filter(({ task }) => task !== 'drive')
    .map(textOf)
    .sort()
}

export function textOf({ task, got }: Note): string {
  return [task, ...got.map((object) => (typeof object === 'string' ? object : object.key))].join(' ')
}

/** The routes of one setup with the buckets of another. */
export function crossed(routes: FusionSetup, buckets: FusionSetup): FusionSetup {
  return changed(routes, (spec, name) => ({ ...spec, buckets: buckets.functions[name]?.buckets ?? [] }))
}

export function changed(setup: FusionSetup, change: (spec: Spec, name: string) => Spec): FusionSetup {
  const specs = Object.entries(setup.functions).map(([name, spec]) => [name, change(spec, name)])
  return { functions: Object.fromEntries(specs) }
}
