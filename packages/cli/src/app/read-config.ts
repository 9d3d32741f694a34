import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type BuildFailure, build, type Loader, type Plugin } from 'esbuild'
import { type Config, FusionizeError } from 'fusionize'
import { checkConfig } from './config-schema.js'

export const configNames = [
  'fusionize.config.ts',
  'fusionize.config.mts',
  'fusionize.config.js',
  'fusionize.config.mjs',
]

export interface ReadConfig {
  config: Config
  /** Absolute files that it was read from, the configuration first; empty when there is none. */
  files: string[]
}

/**
 * Reads the configuration of the application in `dir`, afresh each time; `{}` when it has none.
 * @throws {FusionizeError} `INVALID_CONFIG`
 */
export async function readConfig(dir: string, stateDir: string): Promise<ReadConfig> {
  const name = configNames.find((candidate) => existsSync(join(dir, candidate)))
  if (name === undefined) return { config: {}, files: [] }
  const { code, files } = await bundleConfig(dir, name)
  const exports = await importCode(code, dir, stateDir, name)
  if (!('default' in exports))
    throw new FusionizeError(
      'INVALID_CONFIG',
      `${name} has no default export; write: export default defineConfig({ … }), with defineConfig from 'fusionize'`,
      { file: name },
    )
  return { config: checkConfig(exports.default, name), files: [join(dir, name), ...files] }
}

async function bundleConfig(dir: string, name: string): Promise<{ code: string; files: string[] }> {
  try {
    const result = await build({
      absWorkingDir: dir,
      entryPoints: [join(dir, name)],
      bundle: true,
      write: false,
      metafile: true,
      outfile: 'fusionize.config.mjs',
      sourceRoot: `${pathToFileURL(dir).href}/`,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      sourcemap: 'inline',
      packages: 'external',
      logLevel: 'silent',
      define: ownPlace,
      plugins: [ourFusionize, ownPlacePlugin],
    })
    const files = Object.keys(result.metafile.inputs).map((file) => join(dir, file))
    return { code: result.outputFiles[0]?.text ?? '', files: files.filter((file) => file !== join(dir, name)) }
  } catch (error) {
    throw buildFailure(error, name)
  }
}

/** The application need not have `fusionize` installed where its configuration is; and the one that reads is the one that types it. */
const ourFusionize: Plugin = {
  name: 'our-fusionize',
  setup(bundler) {
    bundler.onResolve({ filter: /^fusionize(\/|$)/ }, ({ path }) => ({
      path: import.meta.resolve(path),
      external: true,
    }))
  },
}

const ownPlace = {
  'import.meta.url': '__fusionizeConfigUrl',
  'import.meta.dirname': '__fusionizeConfigDirname',
  'import.meta.filename': '__fusionizeConfigFilename',
}

/** What is bundled runs from another place; a file that asks where it is must still be told its own. */
const ownPlacePlugin: Plugin = {
  name: 'own-place',
  setup(bundler) {
    bundler.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      if (!text.includes('import.meta')) return undefined
      const values = [pathToFileURL(path).href, dirname(path), path]
      const names = Object.values(ownPlace).map((name, i) => `const ${name} = ${JSON.stringify(values[i])};`)
      const extension = path.slice(path.lastIndexOf('.') + 1).replace(/^[cm]/, '') as Loader
      return { contents: `${names.join('')}${text}`, loader: extension, resolveDir: dirname(path) }
    })
  },
}

function buildFailure(error: unknown, name: string): unknown {
  const problems = (error as BuildFailure).errors
  if (!Array.isArray(problems)) return error
  const lines = problems.map(({ text, location }) => {
    const place = location ? `${location.file}:${location.line}:${location.column + 1}` : name
    return `${place}: ${text}`
  })
  return new FusionizeError('INVALID_CONFIG', `the configuration cannot be read\n${lines.join('\n')}`, { file: name })
}

async function importCode(code: string, dir: string, stateDir: string, name: string): Promise<Record<string, unknown>> {
  // inside the app, so that its packages are found; a fresh name, because modules are cached by name
  const file = join(stateDir, `config-${process.pid}-${randomUUID()}.mjs`)
  await mkdir(stateDir, { recursive: true })
  await writeFile(file, code)
  process.setSourceMapsEnabled(true)
  try {
    return await import(pathToFileURL(file).href)
  } catch (error) {
    throw thrown(error, dir, file, name)
  } finally {
    await rm(file, { force: true })
  }
}

function thrown(error: unknown, dir: string, temporary: string, name: string): FusionizeError {
  const missing = (error as { code?: string } | undefined)?.code === 'ERR_MODULE_NOT_FOUND'
  const text = error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${String(error)}`
  const words = text.replaceAll(temporary, name).replaceAll(pathToFileURL(temporary).href, name)
  const remedy = missing ? "install what it imports ('npm install')" : 'make it load without an error'
  return new FusionizeError(
    'INVALID_CONFIG',
    `${placeOf(error, dir) ?? name}: the configuration failed while it was loaded: ${words}; ${remedy}`,
    { file: name },
    { cause: error },
  )
}

/** `file:line:column` of the first frame in the application's own files. */
function placeOf(error: unknown, dir: string): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  for (const [, url, line, column] of stack.matchAll(/(?:\(|at )((?:file:\/\/)?\/[^()\n]*?):(\d+):(\d+)/g)) {
    const file = url?.startsWith('file:') ? fileURLToPath(url) : (url ?? '')
    const path = relative(dir, file)
    if (!path.startsWith('..') && !path.includes('node_modules') && !path.startsWith('.fusionize'))
      return `${path.split(sep).join('/')}:${line}:${column}`
  }
  return undefined
}
