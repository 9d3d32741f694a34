import { realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, resolve } from 'node:path'
import { version as bundlerVersion } from 'esbuild'
import { FusionizeError } from 'fusionize'
import {
  type App,
  artifactTasks,
  effectiveSetup,
  type FusionSetup,
  reachableFunctions,
  withoutFusedBuckets,
} from 'fusionize/setup'
import type { Artifact, Build } from '../platform.js'
import { ArtifactStore } from './artifact-store.js'
import { type BundleRequest, Bundler } from './bundle.js'
import { bucketsEntry, functionEntry, stubbedFiles } from './entry.js'
import type { ModuleCache } from './graph.js'
import { InputHashes } from './input-hashes.js'
import { Layout } from './layout.js'
import { mapRequest } from './maps.js'
import { Packages } from './packages.js'
import { BuildError, type BuildProblem } from './problems.js'
import { describeApp, readApp, type Scan } from './scan.js'
import { settingsHash } from './settings.js'
import { sha256 } from './source.js'

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

/** A build with what it took to make it. */
export interface BuildResult extends Build {
  /** Functions whose artifact was made now; all others were there already. Sorted. */
  built: string[]
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
  /** What to watch for changes: the folders of tasks and the app's files that the last scan read, a failed one too; absolute. */
  inputs(): string[]
  /** Deletes the artifacts that none of these builds uses; returns the names of their folders. */
  prune(keep: readonly Build[]): Promise<string[]>
  /** Forgets what it has read. */
  dispose(): Promise<void>
}

/** Changes when the same request would give another artifact than before. */
const formatVersion = 2

export function createBuilder(options: BuilderOptions): Builder {
  const appDir = realpathSync(options.appDir)
  const outDir = resolve(appDir, options.outDir)
  const taskDirs = options.taskDirs.map((dir) => resolve(appDir, dir))
  const layout = new Layout(appDir, outDir, new Packages())
  const cache: ModuleCache = new Map()
  const store = new ArtifactStore(outDir)
  // Whose functions evaluate any bucket leases no sessions.
  const conditions = ['fusionize-function', ...(options.evaluator === undefined ? [] : ['fusionize-unleased'])]
  const bundler = new Bundler(layout, conditions)
  const adapter = isAbsolute(options.adapter) ? layout.appPath(options.adapter) : options.adapter
  let read: string[] = []

  async function scan(): Promise<Scan> {
    const reading = await readApp(appDir, options.taskDirs, cache)
    read = [...reading.graph.files.keys()]
    return describeApp({ name: options.name, taskDirs: options.taskDirs }, reading)
  }

  async function build(
    setup: FusionSetup,
    env: Record<string, string> = {},
    only?: readonly string[],
  ): Promise<BuildResult> {
    const scanned = await scan()
    const { app } = scanned
    const placed = options.evaluator === undefined ? setup : withoutFusedBuckets(setup)
    const effective = effectiveSetup(app, placed)
    const settings = await settingsHash(appDir)
    const hashes = new InputHashes(layout, scanned)
    const built: string[] = []

    /** @param asked what it is asked for, in words that hold wherever the app lies */
    async function make(folder: string, asked: object, request: BundleRequest) {
      const stubbed = stubbedFiles(scanned.tasks, request.tasks)
      const key = sha256(JSON.stringify([formatVersion, bundlerVersion, options.name, conditions, asked, settings]))
      const found = await store.find(key, (input) => hashes.of(input, stubbed))
      if (found) return { stored: found, isNew: false }
      const bundle = await bundler.bundle(scanned, request)
      return { stored: await store.add(key, folder, bundle, await hashes.ofBundle(bundle, stubbed)), isNew: true }
    }

    async function makeFunction(fn: string): Promise<Artifact> {
      const tasks = artifactTasks(app, placed, fn)
      const spec = specOf(effective, fn)
      const { inline, buckets } = spec
      const maps = mapRequest(scanned, fn, tasks, spec)
      const request = {
        ...{ function: fn, tasks, inline, adapter: options.adapter },
        ...(buckets.length > 0 && { buckets }),
        ...(maps && { maps }),
        ...(app.buckets && options.evaluator !== undefined && { evaluator: options.evaluator }),
      }
      const entry = functionEntry(scanned, request)
      const asked = { ...request, adapter, ...(request.evaluator !== undefined && evaluatorOf(app)) }
      const { stored, isNew } = await make(fn, asked, { name: `function '${fn}'`, entry, tasks })
      if (isNew) built.push(fn)
      const { hash, bytes, externals } = stored
      return { function: fn, tasks, file: store.fileOf(stored), hash, bytes, externals }
    }

    /** The evaluator and what it is given, in words that hold wherever the app lies. */
    function evaluatorOf({ buckets = {} }: App) {
      const { evaluator = '' } = options
      return {
        evaluator: isAbsolute(evaluator) ? layout.appPath(evaluator) : evaluator,
        evaluates: Object.values(buckets).map(({ name, file }) => [name, file]),
      }
    }

    async function makeBuckets(): Promise<Pick<Build, 'buckets'>> {
      if (!app.buckets) return {}
      const files = Object.values(app.buckets).map(({ name, file }) => [name, file])
      const request = { name: 'the buckets', entry: bucketsEntry(scanned), tasks: [] }
      const { stored } = await make('buckets', { buckets: files }, request)
      return { buckets: { file: store.fileOf(stored), hash: stored.hash } }
    }

    const functions = reachableFunctions(app, placed).filter((fn) => only === undefined || only.includes(fn))
    const [artifacts, buckets] = await all([all(functions.map(makeFunction)), makeBuckets()])
    await store.save()
    const byFunction = Object.fromEntries(artifacts.map((artifact) => [artifact.function, artifact]))
    return { app, setup, artifacts: byFunction, ...buckets, env, built: built.sort() }
  }

  return {
    scan: async () => (await scan()).app,
    build,
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

function specOf(setup: FusionSetup, fn: string) {
  const spec = Object.hasOwn(setup.functions, fn) ? setup.functions[fn] : undefined
  if (!spec)
    throw new FusionizeError('INVALID_SETUP', `the setup has no function for task '${fn}'; every task needs one`)
  return spec
}

/** Waits for all, then reports the mistakes of all. */
async function all<T extends readonly Promise<unknown>[] | []>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const settled = await Promise.allSettled(promises)
  const failures = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  const other = failures.find((error) => !(error instanceof BuildError))
  if (other) throw other
  const problems = new Map<string, BuildProblem>()
  for (const error of failures as BuildError[])
    for (const problem of error.problems)
      problems.set([problem.file, problem.line, problem.column, problem.kind].join(':'), problem)
  if (problems.size > 0) throw new BuildError([...problems.values()])
  return Promise.all(promises)
}
