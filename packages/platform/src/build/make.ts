import { isAbsolute } from 'node:path'
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
import type { ArtifactStore } from './artifact-store.js'
import type { BundleRequest, Bundler } from './bundle.js'
import { bucketsEntry, functionEntry, stubbedFiles } from './entry.js'
import { sha256 } from './hash.js'
import { InputHashes } from './input-hashes.js'
import type { Layout } from './layout.js'
import { mapRequest } from './maps.js'
import type { Material } from './material.js'
import { BuildError, type BuildProblem } from './problems.js'
import { settingsHash } from './settings.js'

/** Where artifacts are made and kept, and what goes into each. */
export interface Workshop {
  layout: Layout
  store: Pick<ArtifactStore, 'find' | 'add' | 'save' | 'fileOf'>
  bundler: Bundler
  /** The application's name. */
  name: string
  /** See `BuilderOptions`; absolute paths are files. */
  adapter: string
  evaluator?: string
}

/** By which packages choose what of them goes into an artifact: whose functions evaluate any bucket leases no sessions. */
export function conditionsOf(evaluator: string | undefined): string[] {
  return ['fusionize-function', ...(evaluator === undefined ? [] : ['fusionize-unleased'])]
}

/** A build with what it took to make it. */
export interface BuildResult extends Build {
  /** Functions whose artifact was made now; all others were there already. Sorted. */
  built: string[]
}

/** Changes when the same request would give another artifact than before. */
const formatVersion = 2

/**
 * Makes the artifact of every function that something can reach in this setup.
 * @param only makes no other functions
 * @throws {BuildError} @throws {FusionizeError} `INVALID_SETUP` when the setup lacks a function
 */
export async function makeArtifacts(
  { adapter: adapterModule, bundler, evaluator: evaluatorModule, layout, name, store }: Workshop,
  material: Material,
  setup: FusionSetup,
  env: Record<string, string> = {},
  only?: readonly string[],
): Promise<BuildResult> {
  const { app } = material
  const adapter = isAbsolute(adapterModule) ? layout.appPath(adapterModule) : adapterModule
  const placed = evaluatorModule === undefined ? setup : withoutFusedBuckets(setup)
  const effective = effectiveSetup(app, placed)
  const settings = await settingsHash(layout.appDir)
  const hashes = new InputHashes(layout, material)
  const built: string[] = []

  /** @param asked what it is asked for, in words that hold wherever the app lies */
  async function make(folder: string, asked: object, request: BundleRequest) {
    const stubbed = stubbedFiles(material.tasks, request.tasks)
    const key = sha256(JSON.stringify([formatVersion, bundlerVersion, name, bundler.conditions, asked, settings]))
    const found = await store.find(key, (input) => hashes.of(input, stubbed))
    if (found) return { stored: found, isNew: false }
    const bundle = await bundler.bundle(material, request)
    return { stored: await store.add(key, folder, bundle, await hashes.ofBundle(bundle, stubbed)), isNew: true }
  }

  async function makeFunction(fn: string): Promise<Artifact> {
    const tasks = artifactTasks(app, placed, fn)
    const spec = specOf(effective, fn)
    const { inline, buckets } = spec
    const maps = mapRequest(material, fn, tasks, spec)
    const request = {
      ...{ function: fn, tasks, inline, adapter: adapterModule },
      ...(buckets.length > 0 && { buckets }),
      ...(maps && { maps }),
      ...(app.buckets && evaluatorModule !== undefined && { evaluator: evaluatorModule }),
    }
    const entry = functionEntry(material, request)
    const asked = { ...request, adapter, ...(request.evaluator !== undefined && evaluatorOf(app)) }
    const { stored, isNew } = await make(fn, asked, { name: `function '${fn}'`, entry, tasks })
    if (isNew) built.push(fn)
    const { hash, bytes, externals } = stored
    return { function: fn, tasks, file: store.fileOf(stored), hash, bytes, externals }
  }

  /** The evaluator and what it is given, in words that hold wherever the app lies. */
  function evaluatorOf({ buckets = {} }: App) {
    const evaluator = evaluatorModule ?? ''
    return {
      evaluator: isAbsolute(evaluator) ? layout.appPath(evaluator) : evaluator,
      evaluates: Object.values(buckets).map(({ name, file }) => [name, file]),
    }
  }

  async function makeBuckets(): Promise<Pick<Build, 'buckets'>> {
    if (!app.buckets) return {}
    const files = Object.values(app.buckets).map(({ name, file }) => [name, file])
    const request = { name: 'the buckets', entry: bucketsEntry(material), tasks: [] }
    const { stored } = await make('buckets', { buckets: files }, request)
    return { buckets: { file: store.fileOf(stored), hash: stored.hash } }
  }

  const functions = reachableFunctions(app, placed).filter((fn) => only === undefined || only.includes(fn))
  const [artifacts, buckets] = await all([all(functions.map(makeFunction)), makeBuckets()])
  await store.save()
  const byFunction = Object.fromEntries(artifacts.map((artifact) => [artifact.function, artifact]))
  return { app, setup, artifacts: byFunction, ...buckets, env, built: built.sort() }
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
