import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { compare } from './problems.js'
import { codeExtensions } from './source.js'

const notTasks = /\.(test|spec|test-d|spec-d|d|bench)\.[cm]?[jt]sx?$/

/**
 * The code files in a folder and below it: absolute, links resolved as the bundler resolves them, sorted. Tests, declarations
 * and hidden folders are left out.
 */
export async function codeFiles(dir: string): Promise<string[]> {
  const root = await realpath(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return root === undefined ? [] : [...new Set(await below(root))].sort(compare)
}

async function below(path: string): Promise<string[]> {
  const name = basename(path)
  const info = await stat(path)
  if (!info.isDirectory()) return codeExtensions.has(extname(name)) && !notTasks.test(name) ? [path] : []
  const names = (await readdir(path)).filter((entry) => !entry.startsWith('.') && entry !== 'node_modules')
  const files = names.map(async (entry) => below(await realpath(join(path, entry))))
  return (await Promise.all(files)).flat()
}
