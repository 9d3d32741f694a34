import { isAbsolute } from 'node:path'
import type { OnResolveArgs } from 'esbuild'
import type { Layout } from './layout.js'
import { isFusionize } from './resolver.js'

/** Where an import of a package leads. */
export interface Resolution {
  /** Relative to the app's folder; of what stays outside, as the artifact names it. */
  path: string
  /** Name of the package that stays outside. */
  external?: string
  sideEffects?: boolean
}

/** Where imports of packages lead, by who imports what: what a build found, or what another build is told by it. */
export interface Resolutions {
  find(key: string): Resolution | undefined
  add(key: string, resolution: Resolution): void
}

/** A build that asks the disk. */
export const noResolutions: Resolutions = { find: () => undefined, add() {} }

/** What an import is known by, wherever the app lies. `fusionize` is the same for all. */
export function resolutionKey(
  layout: Layout,
  { importer, kind, path }: Pick<OnResolveArgs, 'importer' | 'kind' | 'path'>,
) {
  if (isFusionize(path)) return path
  return `${isAbsolute(importer) ? layout.appPath(importer) : importer} ${kind} ${path}`
}
