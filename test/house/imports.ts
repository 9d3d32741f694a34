import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { parseSync } from 'oxc-parser'

/** Source files below a folder (not in hidden folders, nor in what is installed, built or a fixture), relative to `root`, with `/`. */
export function sourceFiles(root: string, folder: string): string[] {
  const start = join(root, folder)
  if (!existsSync(start)) return []
  return readdirSync(start, { withFileTypes: true })
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name)
      if (entry.isDirectory())
        return skipped.has(entry.name) || entry.name.startsWith('.') ? [] : sourceFiles(root, path)
      return /\.(ts|tsx|mts|js|mjs)$/.test(entry.name) ? [path] : []
    })
    .sort()
}

const skipped = new Set(['node_modules', 'dist', 'fixtures'])

/** Every module name that a file imports or re-exports, types and dynamic imports of constants included. */
export function importsOf(root: string, file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const { module } = parseSync(file, text)
  const names = [
    ...module.staticImports.map((one) => one.moduleRequest.value),
    ...module.staticExports.flatMap((one) => one.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    ...module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => constant(text.slice(start, end)) ?? []),
  ]
  return [...new Set(names)]
}

function constant(expression: string): string | undefined {
  return /^(['"`])([^'"`$]*)\1$/.exec(expression)?.[2]
}

/** The file that a relative import means, relative to `root`, with `/`; the `.js` of a TypeScript import becomes `.ts`. */
export function targetOf(root: string, file: string, name: string): string {
  const target = relative(root, join(root, dirname(file), name))
    .split(sep)
    .join('/')
  const typescript = target.replace(/\.js$/, '.ts')
  return existsSync(join(root, typescript)) ? typescript : target
}

/** The package of a bare import: `@scope/name` or `name`. */
export function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')
}
