import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildFailure, build } from 'esbuild'
import { artifactPlugin, stubNamespace } from './artifact-plugin.js'
import { bundlerProblems } from './bundler-problems.js'
import { stubbedFiles } from './entry.js'
import { isInstalled, type Layout } from './layout.js'
import type { Material } from './material.js'
import type { Package } from './packages.js'
import { BuildError, compare } from './problems.js'
import type { Resolutions } from './resolutions.js'

/** What goes into one artifact. */
export interface BundleRequest {
  /** What people call it. */
  name: string
  /** The module that it starts with. */
  entry: string
  /** Tasks whose code it contains; all others are stubs. */
  tasks: readonly string[]
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

const entryName = '<fusionize>'
const usesOwnPlace = /\b__dirname\b|\b__filename\b|\bimport\.meta\.(?:url|dirname|filename|resolve)\b/
const requireShim =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);\n"

/** Bundles parts of one application; keeps what it learns about packages from one bundle to the next. */
export class Bundler {
  readonly #layout: Layout
  /** Roots of packages that read files beside their code, found so far. */
  readonly #placeBound = new Set<string>()
  readonly #resolutions: Resolutions

  /** @param conditions by which packages choose what of them goes into an artifact */
  constructor(
    layout: Layout,
    readonly conditions: readonly string[],
    resolutions: Resolutions,
  ) {
    this.#layout = layout
    this.#resolutions = resolutions
  }

  /** @throws {BuildError} */
  async bundle(scan: Material, request: BundleRequest): Promise<Bundle> {
    const layout = this.#layout
    const stubbed = stubbedFiles(scan.tasks, request.tasks)
    const externals = new Set<string>()
    const placeBound = new Set(this.#placeBound)
    const staysOutside = (pkg: Package) => pkg.native || placeBound.has(pkg.root)
    const plugin = artifactPlugin(layout, scan, stubbed, staysOutside, externals, this.#resolutions)
    const output = await build({
      stdin: { contents: request.entry, resolveDir: layout.appDir, sourcefile: entryName },
      absWorkingDir: layout.appDir,
      outfile: join(layout.artifactDir, 'index.mjs'),
      write: false,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      conditions: [...this.conditions],
      charset: 'utf8',
      minifySyntax: true,
      minifyWhitespace: true,
      treeShaking: true,
      legalComments: 'none',
      sourcemap: 'linked',
      sourcesContent: false,
      metafile: true,
      logLevel: 'silent',
      plugins: [plugin],
    }).catch((error: BuildFailure) => {
      throw error.errors ? new BuildError(bundlerProblems(error.errors, request.name, this.#nameOf)) : error
    })
    const text = (ending: string) => output.outputFiles.find((file) => file.path.endsWith(ending))?.text as string
    const [code, map] = [text('.mjs'), text('.map')]
    const inputs = Object.keys(output.metafile.inputs)
    const files = inputs.filter((input) => !input.startsWith(stubNamespace) && input !== entryName)
    const absolute = files.map((file) => layout.fromApp(file))
    const found = usesOwnPlace.test(code) ? await this.#findPlaceBound(absolute) : []
    if (found.some((root) => !placeBound.has(root))) return this.bundle(scan, request)
    const needsRequire = code.includes('__require')
    return {
      code: Buffer.from(needsRequire ? requireShim + code : code),
      map: Buffer.from(this.#portableMap(map, needsRequire)),
      inputs: absolute,
      stubs: [...stubbed.keys()].filter((file) => inputs.includes(`${stubNamespace}:${layout.appPath(file)}`)),
      externals: [...externals].sort(compare),
    }
  }

  /** Roots of the packages among these files that look for files beside their own code, which a bundle would move. */
  async #findPlaceBound(inputs: readonly string[]): Promise<string[]> {
    const found = new Set<string>()
    for (const input of inputs) {
      if (!isInstalled(input) || !usesOwnPlace.test(await readFile(input, 'utf8'))) continue
      const pkg = this.#layout.packageOf(input)
      if (pkg) found.add(pkg.root)
    }
    for (const root of found) this.#placeBound.add(root)
    return [...found]
  }

  /** The app's sources stay relative to the map; those of packages get names that do not tell where they were installed. */
  #portableMap(json: string, shifted: boolean): string {
    const map = JSON.parse(json) as { sources: string[]; mappings: string }
    map.sources = map.sources.map((source) => {
      if (source.includes(stubNamespace) || source.endsWith(entryName)) return `fusionize:${source.split('/').at(-1)}`
      const file = join(this.#layout.artifactDir, source)
      const pkg = this.#layout.packageOf(file)
      return pkg ? `npm:${pkg.name}/${pkg.pathOf(file)}` : source
    })
    if (shifted) map.mappings = `;${map.mappings}`
    return JSON.stringify(map)
  }

  /** What people call a file that the bundler names: package, or path in the app. */
  readonly #nameOf = (input: string): string => {
    const file = this.#layout.fromApp(input.replace(`${stubNamespace}:`, ''))
    const pkg = this.#layout.packageOf(file)
    return pkg ? `package ${pkg.name}` : this.#layout.appPath(file)
  }
}
