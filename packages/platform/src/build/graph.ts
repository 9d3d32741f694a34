import { readFile } from 'node:fs/promises'
import { extname, relative, sep } from 'node:path'
import { type Module, readModule } from './module.js'
import type { BuildProblem } from './problems.js'
import { type Resolution, type Resolve, withResolver } from './resolver.js'
import { codeExtensions, locate, parseSource, sha256 } from './source.js'

/** A file of the application with where its imports lead. */
export interface GraphFile {
  module: Module
  /** Specifier → absolute path of a code file of the app; imports of packages and data are absent. */
  links: Map<string, string>
  /** The same for imports that only name types. */
  dormant: Map<string, string>
}

/** The application's own code: all files in the folders of tasks and all that they import, by absolute path. */
export interface Graph {
  files: Map<string, GraphFile>
  /** Files that define tasks when they call `task`. */
  roots: ReadonlySet<string>
}

/** Modules read before, by path; reused while the text is the same. */
export type ModuleCache = Map<string, { module: Module; problems: BuildProblem[] }>

/** Reads the files in `roots` and follows their imports through the app's own code. */
export async function readGraph(
  appDir: string,
  roots: readonly string[],
  cache: ModuleCache,
  problems: BuildProblem[],
): Promise<Graph> {
  const files = new Map<string, GraphFile>()
  const queue = [...roots]
  const queued = new Set(queue)
  await withResolver(appDir, async (resolve) => {
    for (const path of queue) {
      const module = await load(appDir, path, cache, problems)
      const file = await follow(module, resolve, problems)
      files.set(path, file)
      for (const link of file.links.values())
        if (!queued.has(link)) {
          queued.add(link)
          queue.push(link)
        }
    }
  })
  return { files, roots: new Set(roots) }
}

async function load(appDir: string, path: string, cache: ModuleCache, problems: BuildProblem[]): Promise<Module> {
  const text = await readFile(path, 'utf8')
  const known = cache.get(path)
  if (known && known.module.source.hash === sha256(text)) {
    problems.push(...known.problems)
    return known.module
  }
  const own: BuildProblem[] = []
  const module = readModule(parseSource(path, appPath(appDir, path), text, own))
  cache.set(path, { module, problems: own })
  problems.push(...own)
  return module
}

async function follow(module: Module, resolve: Resolve, problems: BuildProblem[]): Promise<GraphFile> {
  const file: GraphFile = { module, links: new Map(), dormant: new Map() }
  const requests = [...module.requests].filter(([specifier]) => !isFusionize(specifier))
  const resolved = await Promise.all(
    requests.map(([specifier, { kind }]) => resolve(specifier, module.source.file, kind)),
  )
  for (const [i, [specifier, { start, live }]] of requests.entries()) {
    const to = resolved[i] as Resolution
    if (to.kind === 'file' && isAppCode(to.file)) (live ? file.links : file.dormant).set(specifier, to.file)
    if (to.kind === 'missing' && live) problems.push(unresolved(module, specifier, start))
  }
  return file
}

function unresolved(module: Module, specifier: string, start: number): BuildProblem {
  return {
    kind: 'unresolved-import',
    ...locate(module.source, start),
    message: `cannot find ${JSON.stringify(specifier)}`,
    remedy: /^[./]/.test(specifier)
      ? 'correct the path, or create the file'
      : `install the package (npm install ${packageName(specifier)}), or correct its name`,
  }
}

/** `fusionize` and its subpaths, which always mean the copy that the build depends on. */
export function isFusionize(specifier: string): boolean {
  return specifier === 'fusionize' || specifier.startsWith('fusionize/')
}

/** Name of the package that a bare specifier names. */
export function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** Path relative to the app's folder, with `/`. */
export function appPath(appDir: string, file: string): string {
  return relative(appDir, file).split(sep).join('/')
}

function isAppCode(file: string): boolean {
  return codeExtensions.has(extname(file)) && !file.includes(`${sep}node_modules${sep}`)
}
