import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { slashes } from './layout.js'
import { packageName } from './resolver.js'

/** An installed npm package. */
export interface Package {
  name: string
  /** Absolute, symbolic links resolved. */
  root: string
  /** It has machine code, which cannot be bundled. */
  native: boolean
  /** Path of one of its files relative to `root`, with `/`. */
  pathOf(file: string): string
}

interface Manifest {
  name?: string
  gypfile?: boolean
  binary?: unknown
  napi?: unknown
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

const addonLoaders = [
  'bindings',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  'prebuild-install',
  'node-pre-gyp',
  '@mapbox/node-pre-gyp',
  'node-addon-api',
]
/** Names that packages give to the variants that they install per machine, such as `@esbuild/linux-x64`. */
const perMachine = /(^|[-/.@])(linux|darwin|win32|freebsd|android)[-.]?(x64|arm64|arm|ia32)/

/** Finds out what the packages that files belong to are; looks at each package once. */
export class Packages {
  readonly #byRoot = new Map<string, Package>()
  readonly #byDir = new Map<string, Package | undefined>()

  /** The package that a file belongs to: the nearest folder above with a named manifest. */
  of(file: string): Package | undefined {
    return this.#at(dirname(file))
  }

  #at(dir: string): Package | undefined {
    if (this.#byDir.has(dir)) return this.#byDir.get(dir)
    const manifest = readManifest(dir)
    const parent = dirname(dir)
    const found = manifest?.name ? this.#read(dir, manifest) : parent === dir ? undefined : this.#at(parent)
    this.#byDir.set(dir, found)
    return found
  }

  #read(root: string, manifest: Manifest): Package {
    const known = this.#byRoot.get(root)
    if (known) return known
    const found = {
      name: manifest.name as string,
      root,
      native: isNative(root, manifest),
      pathOf: (file: string) => slashes(relative(root, file)),
    }
    this.#byRoot.set(root, found)
    return found
  }
}

/**
 * How an artifact in `fromDir` names a package's module that stays outside: as the source does where Node finds the same
 * package under that name, else by its place.
 */
export function externalSpecifier(specifier: string, file: string, pkg: Package, fromDir: string): string {
  if (packageName(specifier) === pkg.name)
    for (let dir = fromDir; ; dir = dirname(dir)) {
      const candidate = join(dir, 'node_modules', pkg.name)
      if (existsSync(candidate)) {
        if (realpathSync(candidate) === pkg.root) return specifier
        break
      }
      if (dirname(dir) === dir) break
    }
  return slashes(relative(fromDir, file))
}

function readManifest(dir: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Manifest
  } catch {
    return undefined
  }
}

function isNative(root: string, manifest: Manifest): boolean {
  const { dependencies = {}, optionalDependencies = {} } = manifest
  return (
    manifest.gypfile === true ||
    manifest.binary !== undefined ||
    manifest.napi !== undefined ||
    addonLoaders.some((name) => name in dependencies) ||
    Object.keys(optionalDependencies).some((name) => perMachine.test(name)) ||
    ['binding.gyp', 'prebuilds'].some((name) => existsSync(join(root, name))) ||
    [root, join(root, 'build', 'Release')].some(hasAddon)
  )
}

function hasAddon(dir: string): boolean {
  try {
    return readdirSync(dir).some((name) => name.endsWith('.node'))
  } catch {
    return false
  }
}
