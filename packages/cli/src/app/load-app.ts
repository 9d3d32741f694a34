import { realpathSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Builder, createBuilder } from '@fusionize/platform'
import { FusionizeError, type LocalOptions } from 'fusionize'
import type { App } from 'fusionize/setup'
import { type ResolvedConfig, resolveConfig } from './config.js'
import { readConfig } from './read-config.js'
import { stateDirOf } from './state-dir.js'

/** What the command line says over the configuration; an absent or undefined value says nothing. */
export interface Overrides {
  /** MB of every function in the first setup. */
  memory?: number
  local?: LocalOptions
}

/** For which platform artifacts are made. */
export type Target = 'local' | 'aws'

/** What becomes part of every artifact, and where artifacts are kept; both folders are equally deep. */
const targets = {
  local: { adapter: '@fusionize/local/sandbox', artifacts: 'artifacts' },
  aws: {
    adapter: '@fusionize/aws/runtime',
    evaluator: '@fusionize/aws/runtime/buckets',
    artifacts: 'artifacts-aws',
  },
} as const satisfies Record<Target, TargetModules>

interface TargetModules {
  adapter: string
  /** What evaluates buckets in the functions themselves. */
  evaluator?: string
  artifacts: string
}

/** An application that is ready to be scanned, built and deployed. */
export interface LoadedApp {
  /** Absolute. */
  dir: string
  /** Where everything goes that fusionize keeps about the app: `<dir>/.fusionize`. */
  stateDir: string
  name: string
  config: ResolvedConfig
  /** Files that the configuration was read from, absolute; empty without a configuration. */
  configFiles: string[]
  builder: Builder
  /**
   * Reads the application's source without running it.
   * @throws {BuildError} with every mistake found
   */
  scan(): Promise<App>
}

/**
 * Reads the configuration of the application in a folder.
 * @throws {FusionizeError} `INVALID_CONFIG` when the folder or its configuration is not right
 */
export async function loadApp(cwd: string, overrides: Overrides = {}, target: Target = 'local'): Promise<LoadedApp> {
  const dir = appDir(cwd)
  const stateDir = stateDirOf(dir)
  const read = await readConfig(dir, stateDir)
  const config = withOverrides(resolveConfig(read.config, await packageName(dir)), overrides)
  const { adapter, artifacts, evaluator }: TargetModules = targets[target]
  const builder = createBuilder({
    appDir: dir,
    name: config.app,
    taskDirs: config.tasks,
    outDir: join(stateDir, artifacts),
    adapter: fileURLToPath(import.meta.resolve(adapter)),
    ...(evaluator !== undefined && { evaluator: fileURLToPath(import.meta.resolve(evaluator)) }),
  })
  return { dir, stateDir, name: config.app, config, configFiles: read.files, builder, scan: () => builder.scan() }
}

/**
 * The absolute folder of an application.
 * @throws {FusionizeError} `INVALID_CONFIG` when there is no such folder
 */
export function appDir(cwd: string): string {
  const dir = resolve(cwd)
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory())
    throw new FusionizeError(
      'INVALID_CONFIG',
      `there is no folder ${dir}; give the folder of your application with --cwd`,
    )
  return realpathSync(dir)
}

/** Options given as undefined leave what the configuration says. */
export function withOverrides(config: ResolvedConfig, { memory, local = {} }: Overrides): ResolvedConfig {
  const given = Object.entries(local).filter(([, value]) => value !== undefined)
  return { ...config, memory: memory ?? config.memory, local: { ...config.local, ...Object.fromEntries(given) } }
}

async function packageName(dir: string): Promise<string> {
  const file = join(dir, 'package.json')
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    return basename(dir)
  }
  try {
    const { name } = JSON.parse(text)
    return typeof name === 'string' && name !== '' ? name : basename(dir)
  } catch (error) {
    throw new FusionizeError('INVALID_CONFIG', `${file} is not JSON: ${(error as Error).message}; correct it`)
  }
}
