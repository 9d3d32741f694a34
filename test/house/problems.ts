import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import { importsOf, packageOf, sourceFiles, targetOf } from './imports.js'
import { type Room, rooms, testImports } from './table.js'

interface Manifest {
  name: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  imports?: Record<string, unknown>
}

/** Every way in which the workspaces below `root` break the table, one sentence each; empty when the house stands. */
export function houseProblems(root: string): string[] {
  const folders = workspaces(root)
  const manifests = new Map(folders.map((folder) => [folder, manifestOf(root, folder)]))
  const names = new Map([...manifests].map(([folder, manifest]) => [manifest.name, folder]))
  const rootTools = Object.keys(manifestOf(root, '.').devDependencies ?? {})
  return folders.flatMap((folder) => {
    const room = rooms[folder]
    const manifest = manifests.get(folder) as Manifest
    if (!room) return [`${folder}: is not in the table of test/house/table.ts; add what it may import`]
    return [
      ...manifestProblems(folder, manifest, room, names),
      ...referenceProblems(root, folder, room, manifests),
      ...importProblems(root, folder, room, manifest, names, rootTools),
      ...(room.ships ?? []).flatMap((place) => shippingProblems(root, posix.join(folder, place))),
      ...(room.pure ?? []).flatMap((place) => purityProblems(root, posix.join(folder, place), names)),
    ]
  })
}

function workspaces(root: string): string[] {
  const below = (parent: string) =>
    existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => posix.join(parent, name)) : []
  return [...below('packages'), ...below('examples'), 'bench'].filter((x) => existsSync(join(root, x, 'package.json')))
}

function manifestOf(root: string, folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest
}

function manifestProblems(folder: string, manifest: Manifest, room: Room, names: Map<string, string>): string[] {
  const shipped = shippedDependencies(manifest)
  const tools = Object.keys(manifest.devDependencies ?? {})
  const wrong = [
    ...shipped.filter((name) => names.has(name) && !room.imports.some((may) => packageOf(may) === name)),
    ...tools.filter((name) => names.has(name) && !room.scripts?.includes(name)),
  ]
  return [
    ...wrong.map((name) => `${folder}/package.json: depends on '${name}', against the direction of imports`),
    ...(folder === 'packages/fusionize'
      ? shipped.map((name) => `${folder}/package.json: depends on '${name}', but what ships in every function has none`)
      : []),
  ]
}

function shippedDependencies(manifest: Manifest): string[] {
  const { dependencies, peerDependencies, optionalDependencies } = manifest
  return Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })
}

function referenceProblems(root: string, folder: string, room: Room, manifests: Map<string, Manifest>): string[] {
  const file = posix.join(folder, 'tsconfig.json')
  if (!existsSync(join(root, file))) return []
  const { references = [] } = JSON.parse(readFileSync(join(root, file), 'utf8')) as { references?: { path: string }[] }
  return references
    .map(({ path }) => posix.join(folder, path))
    .filter((target) => !room.imports.some((may) => packageOf(may) === manifests.get(target)?.name))
    .map((target) => `${file}: refers to ${target}, against the direction of imports`)
}

function importProblems(
  root: string,
  folder: string,
  room: Room,
  manifest: Manifest,
  names: Map<string, string>,
  rootTools: string[],
): string[] {
  const shipped = shippedDependencies(manifest)
  const tools = [...rootTools, ...Object.keys(manifest.devDependencies ?? {})]
  return sourceFiles(root, folder).flatMap((file) => {
    const isTest = isTestFile(folder, file)
    const isInstalled = (name: string) => shipped.includes(name) || (isTest && tools.includes(name))
    const isAllowed = (name: string) =>
      matches(room.imports, name) || (isTest && (matches(testImports, name) || packageOf(name) === manifest.name))
    return importsOf(root, file).flatMap((name) => {
      if (name.startsWith('.')) return staysHome(root, folder, file, name, isTest) ?? []
      if (isBuiltin(name)) return []
      // A name of the package's own, for one of its files.
      if (name.startsWith('#') && name in (manifest.imports ?? {})) return []
      if (names.has(packageOf(name)))
        return isAllowed(name) ? [] : [`${file}: imports '${name}', against the direction of imports`]
      return isInstalled(packageOf(name)) ? [] : [`${file}: imports '${name}', which its package does not declare`]
    })
  })
}

/** Code stays in its package, what ships stays in `src`; tests may also use the test helpers of other packages. */
function staysHome(root: string, folder: string, file: string, name: string, isTest: boolean): string | undefined {
  const target = targetOf(root, file, name)
  const ships = file.startsWith(`${folder}/src/`) && !isTest
  if (target.startsWith(ships ? `${folder}/src/` : `${folder}/`)) return undefined
  if (isTest && /^packages\/[^/]+\/test\//.test(target)) return undefined
  return `${file}: imports '${name}', which leaves ${ships ? `${folder}/src` : folder}`
}

function isTestFile(folder: string, file: string): boolean {
  return /\.test(-d)?\.ts$/.test(file) || file.startsWith(`${folder}/test/`)
}

/** Code that ships into functions carries nothing of what builds, deploys or runs them. */
function shippingProblems(root: string, place: string): string[] {
  return sourceFiles(root, place)
    .filter((file) => !/\.test(-d)?\.ts$/.test(file))
    .flatMap((file) =>
      importsOf(root, file)
        .filter((name) => name.startsWith('.') && !targetOf(root, file, name).startsWith(`${place}/`))
        .map((name) => `${file}: imports '${name}', but ${place} ships into functions and must stand alone`),
    )
}

/** A pure place and all that it imports, through any number of files: no I/O, no clock, no chance. */
function purityProblems(root: string, place: string, names: Map<string, string>): string[] {
  const start = /\.ts$/.test(place) ? [place] : sourceFiles(root, place)
  const reached = new Set(start.filter((file) => existsSync(join(root, file)) && !/\.test(-d)?\.ts$/.test(file)))
  const found: string[] = []
  for (const file of reached) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const [word] of codeOf(text).matchAll(/\b(Math\.random|Date\.now|new Date|performance\.now|process\.\w+)\b/g))
      found.push(`${file}: uses '${word}', but ${place} is pure`)
    for (const name of importsOf(root, file)) {
      if (isBuiltin(name)) found.push(`${file}: imports '${name}', but ${place} is pure`)
      const target = name.startsWith('.') ? targetOf(root, file, name) : entryOf(root, name, names)
      if (target && existsSync(join(root, target))) reached.add(target)
    }
  }
  return found
}

/** The source behind an export of a workspace package: `fusionize/setup` → `packages/fusionize/src/setup/index.ts`. */
function entryOf(root: string, name: string, names: Map<string, string>): string | undefined {
  const folder = names.get(packageOf(name))
  if (!folder) return undefined
  const path = `.${name.slice(packageOf(name).length)}`
  const { exports = {} } = manifestOf(root, folder) as Manifest & { exports?: Record<string, { default?: string }> }
  const built = exports[path]?.default
  return built && posix.join(folder, built.replace('/dist/', '/src/').replace(/\.js$/, '.ts'))
}

function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

function matches(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name))
}
