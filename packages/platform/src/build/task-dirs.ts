import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { compare } from './problems.js'
import { codeExtensions } from './source.js'

const notTasks = /\.(test|spec|test-d|spec-d|d|bench)\.[cm]?[jt]sx?$/

/** The code files in a folder and below it, absolute and sorted; tests, declarations and hidden folders are left out. */
export async function codeFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
  const found: string[] = []
  for (const entry of entries.sort((a, b) => compare(a.name, b.name))) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && entry.name !== 'node_modules') found.push(...(await codeFiles(path)))
    } else if (codeExtensions.has(extname(entry.name)) && !notTasks.test(entry.name)) found.push(path)
  }
  return found
}
