import { join, relative, resolve, sep } from 'node:path'
import type { Package, Packages } from './packages.js'

/** Where an app's files lie, and how they are named so that nothing tells where on the machine that is. */
export class Layout {
  readonly appDir: string
  /** A folder as deep as those of artifacts: what is relative to it holds in all of them. */
  readonly artifactDir: string
  readonly #packages: Packages

  constructor(appDir: string, outDir: string, packages: Packages) {
    this.appDir = appDir
    this.artifactDir = join(outDir, 'function')
    this.#packages = packages
  }

  /** Path relative to the app's folder, with `/`. */
  appPath(file: string): string {
    return slashes(relative(this.appDir, file))
  }

  fromApp(path: string): string {
    return resolve(this.appDir, path)
  }

  /** Path relative to any artifact's folder, with `/`. */
  artifactPath(file: string): string {
    return slashes(relative(this.artifactDir, file))
  }

  /** The installed package that a file belongs to; undefined for the app's own files and those of its workspace. */
  packageOf(file: string): Package | undefined {
    if (isInside(file, this.appDir) && !isInstalled(file)) return undefined
    const pkg = this.#packages.of(file)
    return pkg && isInside(this.appDir, pkg.root) ? undefined : pkg
  }
}

/** Whether a file lies in a folder of installed packages. */
export function isInstalled(file: string): boolean {
  return file.includes(`${sep}node_modules${sep}`)
}

export function slashes(path: string): string {
  return path.split(sep).join('/')
}

function isInside(file: string, dir: string): boolean {
  return file === dir || file.startsWith(dir + sep)
}
