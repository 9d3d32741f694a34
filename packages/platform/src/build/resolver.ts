import { createRequire, isBuiltin } from 'node:module'
import { dirname } from 'node:path'
import { build, type ImportKind } from 'esbuild'

/** Where an import leads: a file of the app or of a package, something the bundler leaves alone, or nowhere. */
export type Resolution = { kind: 'file'; file: string } | { kind: 'external' } | { kind: 'missing' }

export type Resolve = (specifier: string, importer: string, how: ImportKind) => Promise<Resolution>

/** Runs `use` with the bundler's own resolver, so that a scan follows imports exactly as the bundle will. */
export async function withResolver<T>(appDir: string, use: (resolve: Resolve) => Promise<T>): Promise<T> {
  let result: { value: T } | undefined
  let failure: { error: unknown } | undefined
  await build({
    stdin: { contents: '', resolveDir: appDir },
    absWorkingDir: appDir,
    platform: 'node',
    write: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'fusionize-resolver',
        setup(build) {
          const resolve: Resolve = async (specifier, importer, how) => {
            if (isBuiltin(specifier)) return { kind: 'external' }
            if (isFusionize(specifier)) return { kind: resolveFusionize(specifier) ? 'external' : 'missing' }
            const found = await build.resolve(specifier, { kind: how, importer, resolveDir: dirname(importer) })
            if (found.errors.length > 0) return { kind: 'missing' }
            return found.external || found.namespace !== 'file'
              ? { kind: 'external' }
              : { kind: 'file', file: found.path }
          }
          build.onStart(async () => {
            try {
              result = { value: await use(resolve) }
            } catch (error) {
              failure = { error }
            }
          })
        },
      },
    ],
  })
  if (failure) throw failure.error
  return (result as { value: T }).value
}

const require = createRequire(import.meta.url)

/** `fusionize` and its subpaths, which always mean the copy that the build depends on. */
export function isFusionize(specifier: string): boolean {
  return specifier === 'fusionize' || specifier.startsWith('fusionize/')
}

/** The file of that copy; undefined when it has no such part. */
export function resolveFusionize(specifier: string): string | undefined {
  try {
    return require.resolve(specifier)
  } catch {
    return undefined
  }
}

/** Name of the package that a bare specifier names. */
export function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}
