import type { Build } from '@fusionize/platform'
import type { App, FusionSetup, Mode, TaskInfo } from 'fusionize/setup'
import { reachableFunctions, remoteSetup, withoutFusedBuckets } from 'fusionize/setup'
import type { Code } from '../../src/deploy/resources.js'

/** An app by its calls: `{ 'a call b': …}` in short. */
export function appOf(
  edges: readonly `${string} ${Mode} ${string}`[],
  facts: Record<string, Partial<TaskInfo>> = {},
): App {
  const parts = edges.map((edge) => edge.split(' ') as [string, Mode, string])
  const names = [...new Set([...parts.flatMap(([from, , to]) => [from, to]), ...Object.keys(facts)])].sort()
  return {
    name: 'shop',
    tasks: Object.fromEntries(
      names.map((name, line) => [name, { name, file: `${name}.ts`, line, hasSchema: false, ...facts[name] }]),
    ),
    edges: parts.map(([from, mode, to]) => ({ from, to, modes: [mode] })),
  }
}

/** A build of an app that was never written; `edit` changes the setup in which everything is remote. */
export function buildOf(app: App, edit: (setup: FusionSetup) => void = () => {}): Build {
  const setup = remoteSetup(app, 128)
  edit(setup)
  const artifacts = Object.fromEntries(
    reachableFunctions(app, withoutFusedBuckets(setup)).map((fn) => [
      fn,
      { function: fn, tasks: [fn], file: `/${fn}/index.mjs`, hash: fn, bytes: 1000, externals: [] },
    ]),
  )
  return { app, setup, artifacts, env: {} }
}

/** Hashes that stand for code, one a function. */
export function codeOf(build: Build, version = '1'): Record<string, Code> {
  return Object.fromEntries(
    Object.keys(build.artifacts).map((fn) => [fn, { sha256: `${fn}-${version}`, bytes: 1000, unzippedBytes: 3000 }]),
  )
}

export const where = { account: '123456789012', region: 'eu-central-1' }
