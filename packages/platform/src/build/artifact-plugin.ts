import { extname } from 'node:path'
import type { Loader, OnLoadResult, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild'
import type { Layout } from './layout.js'
import type { Material } from './material.js'
import { keepOwnPlace } from './own-place.js'
import { externalSpecifier, type Package } from './packages.js'
import { compare } from './problems.js'
import { type Resolution, type Resolutions, resolutionKey } from './resolutions.js'
import { isFusionize, resolveFusionize } from './resolver.js'

/** Namespace of the modules that stand in for tasks of other functions. */
export const stubNamespace = 'fusionize-stub'

const ownLoad = Symbol('resolve without this plugin')

/**
 * What makes a bundle an artifact: stubs for tasks of other functions, one copy of fusionize, packages that stay outside.
 * @param stubbed sources of the stubs, by the file that each takes the place of
 * @param staysOutside tells which packages cannot be bundled
 * @param externals filled with those that were met
 * @param resolutions asked before the disk, and told what it said
 */
export function artifactPlugin(
  layout: Layout,
  scan: Material,
  stubbed: ReadonlyMap<string, string>,
  staysOutside: (pkg: Package) => boolean,
  externals: Set<string>,
  resolutions: Resolutions,
): Plugin {
  function toApp({ importer, path }: OnResolveArgs): OnResolveResult | undefined {
    const file = scan.graph.files.get(importer)
    const target = file?.links.get(path) ?? file?.dormant.get(path)
    if (target === undefined) return undefined
    return stubbed.has(target)
      ? { path: layout.appPath(target), namespace: stubNamespace, pluginData: target }
      : { path: target }
  }

  async function resolveOnDisk(build: PluginBuild, args: OnResolveArgs): Promise<Resolution | undefined> {
    const { kind, importer, resolveDir, path } = args
    if (isFusionize(path)) {
      const file = resolveFusionize(path)
      return file === undefined ? undefined : { path: layout.appPath(file), sideEffects: false }
    }
    const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: ownLoad })
    // a package may try to load what is not installed: that is for the bundler to judge
    if (found.errors.length > 0) return undefined
    if (found.external) return { path: found.path, external: '' }
    const pkg = layout.packageOf(found.path)
    if (pkg && staysOutside(pkg))
      return { path: externalSpecifier(path, found.path, pkg, layout.artifactDir), external: pkg.name }
    // what has no file, or more than one, is the bundler's own matter
    if (found.namespace !== 'file' || found.suffix !== '') return undefined
    return { path: layout.appPath(found.path), sideEffects: found.sideEffects }
  }

  return {
    name: 'fusionize',
    setup(build) {
      build.onResolve({ filter: exactly(specifiersOfStubs(scan, stubbed)) }, toApp)

      build.onResolve({ filter: /^[^./]/ }, async (args) => {
        if (args.pluginData === ownLoad) return undefined
        const own = isFusionize(args.path) ? undefined : toApp(args)
        if (own || args.path.startsWith('node:')) return own
        const key = resolutionKey(layout, args)
        const resolution = resolutions.find(key) ?? (await resolveOnDisk(build, args))
        if (!resolution) return undefined
        resolutions.add(key, resolution)
        const { external, path, sideEffects } = resolution
        if (external === undefined)
          return { path: layout.fromApp(path), ...(sideEffects !== undefined && { sideEffects }) }
        if (external !== '') externals.add(external)
        return { path, external: true }
      })

      build.onLoad({ filter: /.*/, namespace: stubNamespace }, ({ pluginData }) => ({
        contents: stubbed.get(pluginData as string) as string,
        resolveDir: layout.appDir,
      }))

      // the bundle gets the very text that was scanned, whatever was saved since
      build.onLoad({ filter: exactly(scan.graph.files.keys()) }, ({ path }): OnLoadResult | undefined => {
        const module = scan.graph.files.get(path)?.module
        if (!module) return undefined
        const contents = keepOwnPlace(module.source.text, module.places, layout.artifactPath(path))
        return { contents, loader: extname(path).replace(/^\.[cm]?/, '') as Loader }
      })
    },
  }
}

/** What the app's files write to import a task that is stubbed here: other relative imports need not pass through the plugin. */
function specifiersOfStubs(scan: Material, stubbed: ReadonlyMap<string, string>): Set<string> {
  const specifiers = new Set<string>()
  for (const { links, dormant } of scan.graph.files.values())
    for (const [specifier, target] of [...links, ...dormant]) if (stubbed.has(target)) specifiers.add(specifier)
  return specifiers
}

/** Matches these texts and no other, in the bundler's dialect of regular expressions. */
function exactly(texts: Iterable<string>): RegExp {
  const escaped = [...texts].sort(compare).map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^(?:${escaped.length > 0 ? escaped.join('|') : '[^\\s\\S]'})$`)
}
