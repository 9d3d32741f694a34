import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, relative, resolve, sep } from 'node:path'
import { type BuildFailure, build, type OnResolveArgs, type OnResolveResult, type Plugin } from 'esbuild'
import type { FunctionModule } from 'fusionize/runtime'
import { bundlerProblems } from './bundler-problems.js'
import { entrySource, stubSource } from './entry.js'
import { isFusionize } from './graph.js'
import { externalSpecifier, type Package, Packages } from './packages.js'
import { BuildError, compare } from './problems.js'
import type { Scan } from './scan.js'

/** What goes into one artifact. */
export interface BundleRequest {
  function: string
  /** Sorted. */
  tasks: readonly string[]
  inline: FunctionModule['inline']
  /** Absolute path of the module that exports `start`. */
  adapter: string
}

/** A finished bundle, not yet written. */
export interface Bundle {
  code: Uint8Array
  map: Uint8Array
  /** Files that it was made from, absolute. */
  inputs: string[]
  /** Files of tasks that it has stubs of, absolute. */
  stubs: string[]
  /** Packages that it loads from `node_modules` at run time. */
  externals: string[]
}

const stubNamespace = 'fusionize-stub'
const ownLoad = Symbol('resolve without this plugin')
const usesOwnPlace = /\b__dirname\b|\b__filename\b|\bimport\.meta\.(?:url|dirname|filename|resolve)\b/
const requireShim =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);\n"

/** Bundles functions of one application; keeps what it learns about packages from one bundle to the next. */
export class Bundler {
  readonly #appDir: string
  /** Artifacts lie one folder below `outDir`. */
  readonly #artifactDir: string
  readonly #packages = new Packages()
  readonly #require = createRequire(import.meta.url)
  /** Roots of packages that read files beside their code. */
  readonly #placeBound = new Set<string>()

  constructor(appDir: string, outDir: string) {
    this.#appDir = appDir
    this.#artifactDir = join(outDir, 'function')
  }

  /** @throws {BuildError} */
  async bundle(scan: Scan, request: BundleRequest): Promise<Bundle> {
    const stubbed = stubbedFiles(scan, request.tasks)
    const externals = new Map<string, Package>()
    const output = await build({
      stdin: { contents: this.#entry(scan, request), resolveDir: this.#appDir, sourcefile: 'fusionize-entry.js' },
      absWorkingDir: this.#appDir,
      outfile: join(this.#artifactDir, 'index.mjs'),
      write: false,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      charset: 'utf8',
      minifySyntax: true,
      minifyWhitespace: true,
      treeShaking: true,
      legalComments: 'none',
      sourcemap: 'linked',
      sourcesContent: false,
      metafile: true,
      logLevel: 'silent',
      plugins: [this.#plugin(scan, stubbed, externals)],
    }).catch((error: BuildFailure) => {
      throw error.errors
        ? new BuildError(bundlerProblems(error.errors, request.function, (file) => this.#nameOf(file)))
        : error
    })
    const code = output.outputFiles.find((file) => file.path.endsWith('.mjs'))?.text as string
    const map = output.outputFiles.find((file) => file.path.endsWith('.map'))?.text as string
    const inputs = Object.keys(output.metafile.inputs)
    const files = inputs.filter((input) => !input.includes(`${stubNamespace}:`) && input !== 'fusionize-entry.js')
    const absolute = files.map((file) => resolve(this.#appDir, file))
    if (usesOwnPlace.test(code) && (await this.#findPlaceBound(absolute))) return this.bundle(scan, request)
    const needsRequire = code.includes('__require')
    return {
      code: Buffer.from(needsRequire ? requireShim + code : code),
      map: Buffer.from(this.#portableMap(map, needsRequire)),
      inputs: absolute,
      stubs: [...stubbed.keys()].filter((file) => inputs.includes(`${stubNamespace}:${this.#appPath(file)}`)),
      externals: [...new Set([...externals.values()].map((pkg) => pkg.name))].sort(compare),
    }
  }

  #entry(scan: Scan, request: BundleRequest): string {
    const files = [...scan.tasks].filter(([, file]) => request.tasks.includes(file.info.name))
    const tasks = files
      .map(([path, file]) => ({ path, file }))
      .sort((a, b) => compare(a.file.info.name, b.file.info.name))
    const module = { app: scan.app.name, function: request.function, inline: request.inline }
    return entrySource(module, request.adapter, tasks)
  }

  #plugin(scan: Scan, stubbed: ReadonlyMap<string, string>, externals: Map<string, Package>): Plugin {
    const link = ({ importer, path }: OnResolveArgs): string | undefined => {
      const file = scan.graph.files.get(importer)
      return file?.links.get(path) ?? file?.dormant.get(path)
    }
    const toApp = (args: OnResolveArgs): OnResolveResult | undefined => {
      const target = link(args)
      if (target === undefined) return undefined
      return stubbed.has(target)
        ? { path: this.#appPath(target), namespace: stubNamespace, pluginData: target }
        : { path: target }
    }
    return {
      name: 'fusionize',
      setup: (build) => {
        build.onResolve({ filter: stubFilter(scan, stubbed) }, toApp)
        build.onResolve({ filter: /^[^./]/ }, async (args) => {
          if (args.pluginData === ownLoad) return undefined
          if (isFusionize(args.path)) return { path: this.#require.resolve(args.path), sideEffects: false }
          const own = toApp(args)
          if (own || args.path.startsWith('node:')) return own
          const { kind, importer, resolveDir, path } = args
          const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: ownLoad })
          const pkg = found.external || found.errors.length > 0 ? undefined : this.#outside(found.path)
          if (!pkg) return found
          externals.set(pkg.root, pkg)
          return { path: externalSpecifier(path, found.path, pkg, this.#artifactDir), external: true }
        })
        build.onLoad({ filter: /.*/, namespace: stubNamespace }, ({ pluginData }) => ({
          contents: stubbed.get(pluginData as string) as string,
          resolveDir: this.#appDir,
        }))
      },
    }
  }

  /** The package of `file` when it has to stay outside the bundle. */
  #outside(file: string): Package | undefined {
    const pkg = this.#packages.of(file)
    if (!pkg || isInside(this.#appDir, pkg.root)) return undefined
    return pkg.native || this.#placeBound.has(pkg.root) ? pkg : undefined
  }

  /** Finds packages that look for files beside their own code, which a bundle would move; true when there are new ones. */
  async #findPlaceBound(inputs: readonly string[]): Promise<boolean> {
    const before = this.#placeBound.size
    for (const input of inputs) {
      if (!input.includes(`${sep}node_modules${sep}`) || !usesOwnPlace.test(await readFile(input, 'utf8'))) continue
      const pkg = this.#packages.of(input)
      if (pkg) this.#placeBound.add(pkg.root)
    }
    return this.#placeBound.size > before
  }

  /** The app's sources stay relative to the map; those of packages get names that do not tell where they were installed. */
  #portableMap(json: string, shifted: boolean): string {
    const map = JSON.parse(json) as { sources: string[]; mappings: string }
    map.sources = map.sources.map((source) => {
      if (source.includes(`${stubNamespace}:`) || source.endsWith('fusionize-entry.js'))
        return `fusionize:${source.split('/').at(-1)}`
      const file = resolve(this.#artifactDir, source)
      if (isInside(file, this.#appDir) && !file.includes(`${sep}node_modules${sep}`)) return source
      const pkg = this.#packages.of(file)
      return pkg ? `npm:${pkg.name}/${relative(pkg.root, file).split(sep).join('/')}` : source
    })
    if (shifted) map.mappings = `;${map.mappings}`
    return JSON.stringify(map)
  }

  /** For people: files of packages by package, the app's own by path. */
  #nameOf(input: string): string {
    const file = resolve(this.#appDir, input.replace(`${stubNamespace}:`, ''))
    const pkg =
      isInside(file, this.#appDir) && !file.includes(`${sep}node_modules${sep}`) ? undefined : this.#packages.of(file)
    return pkg ? `package ${pkg.name}` : this.#appPath(file)
  }

  #appPath(file: string): string {
    return relative(this.#appDir, file).split(sep).join('/')
  }
}

/** Files of tasks that are not in the artifact, with what takes their place. */
export function stubbedFiles(scan: Scan, tasks: readonly string[]): Map<string, string> {
  const inside = new Set(tasks)
  const outside = [...scan.tasks].filter(([, file]) => !inside.has(file.info.name))
  return new Map(outside.map(([path, file]) => [path, stubSource(file)]))
}

/** Matches the specifiers that lead to a stub somewhere in the app: others need not pass through the plugin. */
function stubFilter(scan: Scan, stubbed: ReadonlyMap<string, string>): RegExp {
  const specifiers = new Set<string>()
  for (const { links, dormant } of scan.graph.files.values())
    for (const [specifier, target] of [...links, ...dormant]) if (stubbed.has(target)) specifiers.add(specifier)
  const exact = [...specifiers].sort(compare).map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^(?:${exact.length > 0 ? exact.join('|') : '[^\\s\\S]'})$`)
}

function isInside(file: string, dir: string): boolean {
  return file === dir || file.startsWith(dir + sep)
}
