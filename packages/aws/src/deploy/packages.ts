import { readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { FusionizeError } from 'fusionize'
import { isForMachine } from './machine-code.js'
import type { Architecture } from './settings.js'

interface Manifest {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { optional?: boolean }>
}

/** A package as it is installed here, and where it goes in the zip. */
interface Placed {
  name: string
  /** Absolute, symbolic links resolved. */
  root: string
  /** `node_modules/<name>`, or below another package where versions differ. */
  path: string
}

/**
 * The files of packages and of all that they depend on, by their path in the zip.
 * @param from folder from which the packages are found, as Node finds them
 * @throws {FusionizeError} `DEPLOY_FAILED` when one is not installed, or has machine code for another machine only
 */
export async function packageFiles(
  names: readonly string[],
  from: string,
  architecture: Architecture,
): Promise<Map<string, Uint8Array>> {
  const placed = new Map<string, Placed>()
  const files = new Map<string, Uint8Array>()
  const queue: Placed[] = []

  function place(name: string, root: string, parent: string): void {
    if (seenFrom(parent, name)?.root === root) return
    const top = `node_modules/${name}`
    const path = placed.has(top) ? `${parent}/node_modules/${name}` : top
    const one = { name, root, path }
    placed.set(path, one)
    queue.push(one)
  }

  /** What Node finds in the zip under this name, from a package's place there. */
  function seenFrom(parent: string, name: string): Placed | undefined {
    for (let at = parent; at !== ''; at = outer(at)) {
      const found = placed.get(`${at}/node_modules/${name}`)
      if (found) return found
    }
    return placed.get(`node_modules/${name}`)
  }

  for (const name of names) {
    const root = await findPackage(name, from)
    if (root === undefined)
      throw new FusionizeError(
        'DEPLOY_FAILED',
        `package '${name}' is not installed for the application; run 'npm install' and deploy again`,
        { package: name },
      )
    place(name, root, '')
  }
  for (const one of queue) {
    const manifest = JSON.parse(await readFile(join(one.root, 'package.json'), 'utf8')) as Manifest
    const own = await filesOf(one.root)
    const kept = await Promise.all(own.map((file) => isForMachine(join(one.root, file), architecture)))
    for (const [i, file] of own.entries())
      if (kept[i] !== false) files.set(posix.join(one.path, file), await readFile(join(one.root, file)))
    let fits = !kept.includes(false) || kept.includes(true)
    for (const [name, { isOptional, isMachines }] of dependenciesOf(manifest)) {
      const root = await findPackage(name, one.root)
      if (root === undefined) {
        if (isOptional) continue
        throw new FusionizeError(
          'DEPLOY_FAILED',
          `package '${one.name}' needs '${name}', which is not installed; run 'npm install' and deploy again`,
          { package: name },
        )
      }
      if (isMachines && !(await suits(root, architecture))) {
        fits = false
        continue
      }
      place(name, root, one.path)
    }
    if (!fits && !(await hasSuitable(manifest, one.root, architecture))) throw wrongMachine(one.name, architecture)
  }
  return files
}

/** Whether any of a package's optional dependencies brings machine code for the functions. */
async function hasSuitable(manifest: Manifest, root: string, architecture: Architecture): Promise<boolean> {
  for (const name of Object.keys(manifest.optionalDependencies ?? {})) {
    const found = await findPackage(name, root)
    if (found !== undefined && (await suits(found, architecture)) && (await hasCode(found))) return true
  }
  return false
}

/** Whether a package has machine code for the functions, or none at all. */
async function suits(root: string, architecture: Architecture): Promise<boolean> {
  const files = await filesOf(root)
  const kinds = await Promise.all(files.map((file) => isForMachine(join(root, file), architecture)))
  return !kinds.includes(false) || kinds.includes(true)
}

async function hasCode(root: string): Promise<boolean> {
  const files = await filesOf(root)
  const kinds = await Promise.all(files.map((file) => isForMachine(join(root, file), 'x86_64')))
  return kinds.some((kind) => kind !== undefined)
}

function wrongMachine(name: string, architecture: Architecture): FusionizeError {
  const cpu = architecture === 'arm64' ? 'arm64' : 'x64'
  return new FusionizeError(
    'DEPLOY_FAILED',
    `package '${name}' is installed with machine code for another machine than Linux on ${architecture}; install the right one with 'npm install --os=linux --cpu=${cpu} ${name}', or set aws.architecture to '${architecture === 'arm64' ? 'x86_64' : 'arm64'}'`,
    { package: name, architecture },
  )
}

function dependenciesOf(manifest: Manifest): Map<string, { isOptional: boolean; isMachines: boolean }> {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifest
  const all = new Map<string, { isOptional: boolean; isMachines: boolean }>()
  for (const name of Object.keys(peerDependencies))
    all.set(name, { isOptional: peerDependenciesMeta[name]?.optional === true, isMachines: false })
  for (const name of Object.keys(dependencies)) all.set(name, { isOptional: false, isMachines: false })
  for (const name of Object.keys(optionalDependencies)) all.set(name, { isOptional: true, isMachines: true })
  return all
}

/** The folder of the package that Node finds under this name from a folder. */
async function findPackage(name: string, from: string): Promise<string | undefined> {
  for (let dir = from; ; dir = dirname(dir)) {
    const root = await realpath(join(dir, 'node_modules', name)).catch(() => undefined)
    if (root !== undefined) return root
    if (dirname(dir) === dir) return undefined
  }
}

/** Files below a folder, without what is installed there; sorted, with `/`. */
async function filesOf(root: string, below = ''): Promise<string[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true })
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = posix.join(below, entry.name)
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesOf(root, path)
      return entry.isFile() ? [path] : []
    }),
  )
  return found.flat().sort()
}

/** The place of the package in which one is nested; empty at the top. */
function outer(path: string): string {
  const at = path.lastIndexOf('/node_modules/')
  return at < 0 ? '' : path.slice(0, at)
}
