import { readFile } from 'node:fs/promises'
import { extname, relative } from 'node:path'
import { sha256 } from './hash.js'
import { isInstalled, slashes } from './layout.js'
import { type Module, readModule } from './module.js'
import type { BuildProblem } from './problems.js'
import { isFusionize, packageName, type Resolution, type Resolve, withResolver } from './resolver.js'
import { codeExtensions, locate, parseSource } from './source.js'

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
  const module = readModule(parseSource(path, slashes(relative(appDir, path)), text, own))
  cache.set(path, { module, problems: own })
  problems.push(...own)
  return module
}

async function follow(module: Module, resolve: Resolve, problems: BuildProblem[]): Promise<GraphFile> {
  const file: GraphFile = { module, links: new Map(), dormant: new Map() }
  const resolved = await Promise.all(
    [...module.requests].map(([specifier, { kind }]) => resolve(specifier, module.source.file, kind)),
  )
  for (const [i, [specifier, { start, live, optional }]] of [...module.requests].entries()) {
    const to = resolved[i] as Resolution
    if (to.kind === 'file' && isAppCode(to.file)) (live ? file.links : file.dormant).set(specifier, to.file)
    if (to.kind === 'missing' && live && !optional) problems.push(unresolved(module, specifier, start))
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
      : isFusionize(specifier)
        ? 'correct the name: fusionize has no such part'
        : `install the package (npm install ${packageName(specifier)}), or correct its name`,
  }
}

function isAppCode(file: string): boolean {
  return codeExtensions.has(extname(file)) && !isInstalled(file)
}
