import { join, resolve } from 'node:path'
import type { App, FusionSetup, TaskName } from 'fusionize/setup'
import { ArtifactStore } from './artifact-store.js'
import { Bundler } from './bundle.js'
import { Layout } from './layout.js'
import { type BuildResult, conditionsOf, makeArtifacts } from './make.js'
import type { Material } from './material.js'
import { Packages } from './packages.js'
import type { Place } from './references.js'
import type { Resolution } from './resolutions.js'

/**
 * An application as a builder read it, as JSON: with the files that it names (`SealedFiles`), artifacts can be made of it on any machine, with no parser and no
 * installed packages, and are the same. Paths of modules are relative to the app's folder, the folders to the root of the files.
 */
export interface SealedApp {
  version: 1
  name: string
  appDir: string
  outDir: string
  adapter: string
  evaluator?: string
  app: App
  files: {
    path: string
    text: string
    hash: string
    places: readonly Place[]
    links: [string, string][]
    dormant: [string, string][]
  }[]
  tasks: [path: string, { name: string; exportNames: readonly string[] }][]
  buckets: [path: string, { name: string; exportNames: readonly string[] }[]][]
  busy: TaskName[]
  withBuckets: TaskName[]
  resolutions: [key: string, Resolution][]
}

/** Makes artifacts of a sealed app. */
export interface SealedBuilder {
  app: App
  /** See `Builder.build`. */
  build(setup: FusionSetup, env?: Record<string, string>, only?: readonly string[]): Promise<BuildResult>
}

/** @param root folder that holds the sealed app's files, absolute; artifacts go below it */
export function createSealedBuilder(sealed: SealedApp, root: string): SealedBuilder {
  const layout = new Layout(resolve(root, sealed.appDir), resolve(root, sealed.outDir), new Packages())
  const resolutions = new Map(sealed.resolutions)
  const { evaluator, name } = sealed
  const workshop = {
    ...{ layout, name, store: new ArtifactStore(join(root, sealed.outDir)) },
    bundler: new Bundler(layout, conditionsOf(evaluator), { find: (key) => resolutions.get(key), add() {} }),
    adapter: layout.fromApp(sealed.adapter),
    ...(evaluator !== undefined && { evaluator: layout.fromApp(evaluator) }),
  }
  const material = materialOf(sealed, layout)
  return { app: sealed.app, build: (setup, env, only) => makeArtifacts(workshop, material, setup, env, only) }
}

function materialOf({ app, buckets, busy, files, tasks, withBuckets }: SealedApp, layout: Layout): Material {
  const absolute = (links: readonly [string, string][]) =>
    new Map(links.map(([specifier, path]) => [specifier, layout.fromApp(path)]))
  return {
    app,
    graph: {
      files: new Map(
        files.map(({ dormant, hash, links, path, places, text }) => [
          layout.fromApp(path),
          { module: { source: { text, hash }, places }, links: absolute(links), dormant: absolute(dormant) },
        ]),
      ),
    },
    tasks: new Map(
      tasks.map(([path, { exportNames, name }]) => [layout.fromApp(path), { info: { name }, exportNames }]),
    ),
    buckets: new Map(buckets.map(([path, defined]) => [layout.fromApp(path), defined])),
    busy: new Set(busy),
    withBuckets: new Set(withBuckets),
  }
}
