import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CodePackage, DeployOptions } from '@fusionize/aws'
import { build } from 'esbuild'
import type { FusionSetup } from 'fusionize/setup'
import { strategyNamed } from '../control/strategy-named.js'
import { type ManagerConfig, managerDefaults, zipNames } from '../manager/config.js'
import type { LoadedApp } from './load-app.js'

/** Of the bundler for any machine, what runs under Node. */
const bundlerFiles = ['package.json', 'lib/main.js', 'bin/esbuild', 'esbuild.wasm', 'wasm_exec.js', 'wasm_exec_node.js']
const requireShim =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);"

/** The deployment of an app with a manager, as the configuration describes it. */
export function managedOptions({ config }: LoadedApp): NonNullable<DeployOptions['managed']> {
  const { everyMinutes } = config.aws.manager ?? {}
  return { everyMinutes: everyMinutes ?? managerDefaults.everyMinutes, constraints: config.constraints }
}

/**
 * The code of an app's manager: its lap, the bundler as WebAssembly, and all that any artifact of the app can be made from. Equal for equal content.
 * @param options of the deployment, with `managed`
 * @param setup that is deployed with it
 * @throws {BuildError} @throws {FusionizeError} `INVALID_CONFIG` for an unknown strategy, `DEPLOY_FAILED` when a package is not there, or was built for another machine
 */
export async function managerZip(
  loaded: LoadedApp,
  options: ManagerConfig['deploy'],
  setup: FusionSetup,
  waits: Partial<Pick<ManagerConfig, 'settleMs' | 'pollMs'>> = {},
): Promise<CodePackage> {
  const { packageFiles, zipFiles } = await import('@fusionize/aws')
  const { aws, constraints, env, goal } = loaded.config
  const { requests, share, strategy } = { ...managerDefaults, ...aws.manager }
  strategyNamed(strategy)
  const { externals, files: sources, sealed } = await loaded.builder.seal()
  const about = { env, goal, constraints, strategy }
  const files = new Map<string, Uint8Array>([['index.mjs', await bundle()]])
  const hash = createHash('sha256').update(JSON.stringify([sealed, about]))
  for (const [path, file] of sources) {
    const content = await readFile(file)
    files.set(posix.join(zipNames.app, path), content)
    hash.update(path).update(content)
  }
  const { architecture = 'arm64' } = options
  for (const [path, content] of await packageFiles(externals, loaded.dir, architecture))
    files.set(posix.join(zipNames.app, sealed.appDir, path), content)
  for (const file of bundlerFiles)
    files.set(`node_modules/esbuild-wasm/${file}`, await readFile(join(bundlerDir(), file)))
  const config: ManagerConfig = {
    ...{ version: 1, key: hash.digest('hex').slice(0, 16), deploy: options, ...about, setup, requests, share },
    ...{ settleMs: managerDefaults.settleMs, pollMs: managerDefaults.pollMs },
    ...waits,
  }
  files.set(zipNames.config, Buffer.from(JSON.stringify(config)))
  files.set(zipNames.sealed, Buffer.from(JSON.stringify(sealed)))
  return zipFiles(files)
}

/** The lap in one file, as it runs on Lambda. */
async function bundle(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(import.meta.resolve('@fusionize/cli/manager'))],
    outfile: 'index.mjs',
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    mainFields: ['module', 'main'],
    alias: { esbuild: 'esbuild-wasm' },
    external: ['esbuild-wasm'],
    banner: { js: requireShim },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'silent',
  })
  return outputFiles[0]?.contents as Uint8Array
}

function bundlerDir(): string {
  return dirname(createRequire(import.meta.url).resolve('esbuild-wasm/package.json'))
}
