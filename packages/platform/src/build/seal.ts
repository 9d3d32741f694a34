import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join, relative, sep } from 'node:path'
import { allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import type { Bundle } from './bundle.js'
import { Bundler } from './bundle.js'
import { sha256 } from './hash.js'
import { isInstalled, slashes } from './layout.js'
import { conditionsOf, makeArtifacts, type Workshop } from './make.js'
import type { Material } from './material.js'
import { compare } from './problems.js'
import type { Resolution } from './resolutions.js'
import type { SealedApp } from './sealed.js'
import { parentSettings } from './settings.js'

/** A sealed app and the files that go with it. */
export interface SealedFiles {
  sealed: SealedApp
  /** Absolute paths here, by path below the root of the files, with `/`. Sorted. */
  files: Map<string, string>
  /** Packages that artifacts load from the app's `node_modules` at run time. Sorted. */
  externals: string[]
}

/**
 * What any artifact of an app may be made from. Every task is in an artifact of its own where all is remote, so these have every file of the app and
 * every import of a package; the other setups add what the runtime itself brings for maps and pools.
 * @throws {BuildError}
 */
export async function sealApp(workshop: Workshop, material: Material): Promise<SealedFiles> {
  const { layout, name } = workshop
  const { app } = material
  const resolutions = new Map<string, Resolution>()
  const inputs = new Set<string>()
  const externals = new Set<string>()
  const recorder = {
    ...workshop,
    bundler: new Bundler(layout, conditionsOf(workshop.evaluator), {
      find: () => undefined,
      add: (key, found) => resolutions.set(key, found),
    }),
    store: {
      find: async () => undefined,
      async add(_key: string, dir: string, bundle: Bundle, inputHashes: Record<string, string>) {
        for (const file of bundle.inputs) inputs.add(file)
        for (const external of bundle.externals) externals.add(external)
        const { code } = bundle
        return { dir, hash: sha256(code), bytes: code.byteLength, externals: bundle.externals, inputs: inputHashes }
      },
      save: async () => {},
      fileOf: () => '',
    },
  }
  for (const setup of [
    remoteSetup(app, 128),
    inPools(allFusedSetup(app, 128), 'threads'),
    inPools(allFusedSetup(app, 128), 'processes'),
  ])
    await makeArtifacts(recorder, material, setup)

  const files = [...inputs, ...settingsOf([...inputs], layout.appDir)]
  const root = commonFolder([layout.appDir, ...files])
  const below = (file: string) => slashes(relative(root, file))
  const module = (file: string) => (isAbsolute(file) ? layout.appPath(file) : file)
  const relativeLinks = (links: ReadonlyMap<string, string>) =>
    [...links].map(([specifier, file]): [string, string] => [specifier, layout.appPath(file)])
  const sealed: SealedApp = {
    ...{ version: 1, name, app, appDir: below(layout.appDir), outDir: below(dirname(layout.artifactDir)) },
    adapter: module(workshop.adapter),
    ...(workshop.evaluator !== undefined && { evaluator: module(workshop.evaluator) }),
    files: [...material.graph.files].map(
      ([
        file,
        {
          dormant,
          links,
          module: { places, source },
        },
      ]) => ({
        ...{ path: layout.appPath(file), text: source.text, hash: source.hash, places },
        ...{ links: relativeLinks(links), dormant: relativeLinks(dormant) },
      }),
    ),
    tasks: [...material.tasks].map(([file, { exportNames, info }]) => [
      layout.appPath(file),
      { name: info.name, exportNames },
    ]),
    buckets: [...material.buckets].map(([file, defined]) => [
      layout.appPath(file),
      defined.map(({ exportNames, name: bucket }) => ({ name: bucket, exportNames })),
    ]),
    ...{ busy: [...material.busy], withBuckets: [...material.withBuckets] },
    resolutions: [...resolutions].sort(([a], [b]) => compare(a, b)),
  }
  const sorted = [...new Set(files)].sort(compare)
  return { sealed, files: new Map(sorted.map((file) => [below(file), file])), externals: [...externals].sort(compare) }
}

/** The setup with whatever can run in pools in pools. */
function inPools(setup: FusionSetup, parallel: 'threads' | 'processes'): FusionSetup {
  const functions = Object.entries(setup.functions).map(([fn, spec]) => [fn, { ...spec, parallel, concurrency: 2 }])
  return { ...setup, functions: Object.fromEntries(functions) }
}

/** What says how files are to be read: manifests in the folders above them, and settings of TypeScript above those that are not installed. */
function settingsOf(inputs: readonly string[], appDir: string): string[] {
  const found = new Set<string>()
  const folders = new Set<string>()
  const add = (dir: string, isOwn: boolean) => {
    for (let at = dir; !folders.has(`${at} ${isOwn}`); at = dirname(at)) {
      folders.add(`${at} ${isOwn}`)
      for (const name of ['package.json', ...(isOwn ? ['tsconfig.json'] : [])])
        if (existsSync(join(at, name))) found.add(join(at, name))
    }
  }
  add(appDir, true)
  for (const file of inputs) add(dirname(file), !isInstalled(file))
  for (const file of found)
    if (file.endsWith('.json') && !file.endsWith('package.json'))
      for (const parent of extendedBy(file)) found.add(parent)
  return [...found]
}

/** The settings that a file of settings extends, as far as they are there. */
function extendedBy(file: string): string[] {
  return parentSettings(readFileSync(file, 'utf8')).flatMap((parent) => {
    const names = [parent, `${parent}.json`, `${parent}/tsconfig.json`]
    if (parent.startsWith('.') || isAbsolute(parent))
      return names.map((name) => join(dirname(file), name)).filter((name) => name.endsWith('.json') && existsSync(name))
    const { resolve } = createRequire(file)
    for (const name of names)
      try {
        return [resolve(name)]
      } catch {
        // the next name
      }
    return []
  })
}

/** The deepest folder that all these files or folders are in. */
function commonFolder(paths: readonly string[]): string {
  const [first = '', ...rest] = paths.map((path) => dirname(path).split(sep))
  const parts = first as unknown as string[]
  const shared = parts.findIndex((part, i) => rest.some((other) => other[i] !== part))
  return (shared < 0 ? parts : parts.slice(0, shared)).join(sep) || sep
}
