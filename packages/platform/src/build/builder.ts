import { realpathSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { App, FusionSetup } from 'fusionize/setup'
import type { Build } from '../platform.js'
import { ArtifactStore } from './artifact-store.js'
import { Bundler } from './bundle.js'
import type { ModuleCache } from './graph.js'
import { Layout } from './layout.js'
import { type BuildResult, conditionsOf, makeArtifacts, type Workshop } from './make.js'
import { Packages } from './packages.js'
import { noResolutions } from './resolutions.js'
import { describeApp, readApp, type Scan } from './scan.js'
import { type SealedFiles, sealApp } from './seal.js'

export interface BuilderOptions {
  /** The application's folder, absolute. */
  appDir: string
  /** The application's name. */
  name: string
  /** Folders with task files, relative to `appDir`. @example ['tasks'] */
  taskDirs: string[]
  /** Where artifacts go; inside `appDir`, so that packages which stay outside an artifact are found at run time. */
  outDir: string
  /** The platform's side of a sandbox: absolute path, or name of an installed module, that exports `start(module: FunctionModule)`; what it returns is the artifact's export `handler`. */
  adapter: string
  /** For a platform whose functions evaluate any bucket of the app: absolute path, or name of an installed module, that exports `evaluate(buckets)`; the adapter gets what it returns. */
  evaluator?: string
}

/** Turns an application's source into artifacts; keeps what it has read for the next time. */
export interface Builder {
  /**
   * Reads the application without running any of it.
   * @throws {BuildError} with every mistake found
   */
  scan(): Promise<App>
  /**
   * Scans, then makes the artifact of every function that something can reach in this setup.
   * @param only makes no other functions: for who knows that these are enough
   * @throws {BuildError} @throws {FusionizeError} `INVALID_SETUP` when the setup lacks a function
   */
  build(setup: FusionSetup, env?: Record<string, string>, only?: readonly string[]): Promise<BuildResult>
  /** The app and all that any of its artifacts is made from, for a builder that has neither these files nor a parser (`sealed.ts`). @throws {BuildError} */
  seal(): Promise<SealedFiles>
  /** What to watch for changes: the folders of tasks and the app's files that the last scan read, a failed one too; absolute. */
  inputs(): string[]
  /** Deletes the artifacts that none of these builds uses; returns the names of their folders. */
  prune(keep: readonly Build[]): Promise<string[]>
  /** Forgets what it has read. */
  dispose(): Promise<void>
}

export function createBuilder(options: BuilderOptions): Builder {
  const appDir = realpathSync(options.appDir)
  const outDir = resolve(appDir, options.outDir)
  const taskDirs = options.taskDirs.map((dir) => resolve(appDir, dir))
  const layout = new Layout(appDir, outDir, new Packages())
  const cache: ModuleCache = new Map()
  const store = new ArtifactStore(outDir)
  const { adapter, evaluator, name } = options
  const workshop: Workshop = {
    ...{ layout, store, name, adapter, bundler: new Bundler(layout, conditionsOf(evaluator), noResolutions) },
    ...(evaluator !== undefined && { evaluator }),
  }
  let read: string[] = []

  async function scan(): Promise<Scan> {
    const reading = await readApp(appDir, options.taskDirs, cache)
    read = [...reading.graph.files.keys()]
    return describeApp({ name, taskDirs: options.taskDirs }, reading)
  }

  return {
    scan: async () => (await scan()).app,
    build: async (setup, env, only) => makeArtifacts(workshop, await scan(), setup, env, only),
    seal: async () => sealApp(workshop, await scan()),
    inputs: () => [...taskDirs, ...read],
    prune: (keep) => store.prune(new Set(keep.flatMap(filesOf).map((file) => basename(dirname(file))))),
    dispose: async () => {
      cache.clear()
    },
  }
}

function filesOf({ artifacts, buckets }: Build): string[] {
  return [...Object.values(artifacts), ...(buckets ? [buckets] : [])].map(({ file }) => file)
}
