import { extname } from 'node:path'
import { type Node, parseSync } from 'oxc-parser'
import { sha256 } from './hash.js'
import type { BuildProblem } from './problems.js'

/** Any node of the syntax tree, for walkers that do not care which. */
export interface AnyNode {
  type: Node['type']
  start: number
  end: number
}

/** One source file of the application, read and parsed. */
export interface Source {
  /** Absolute. */
  file: string
  /** Relative to the app's folder, with `/`. */
  path: string
  text: string
  /** SHA-256 of the text, hex. */
  hash: string
  body: AnyNode[]
  typescript: boolean
  /** It has syntax errors: nothing can be said about what it exports. */
  broken: boolean
}

const typescriptExtensions = new Set(['.ts', '.mts', '.cts', '.tsx'])
/** Extensions of files that are parsed for tasks and imports; all else (JSON…) is the bundler's matter. */
export const codeExtensions: ReadonlySet<string> = new Set([...typescriptExtensions, '.js', '.mjs', '.cjs', '.jsx'])

/** Parses a file; syntax errors are added to `problems` and leave an empty body. */
export function parseSource(file: string, path: string, text: string, problems: BuildProblem[]): Source {
  const parsed = parseSync(file, text, { preserveParens: false })
  const source: Source = {
    file,
    path,
    text,
    hash: sha256(text),
    body: [],
    typescript: typescriptExtensions.has(extname(file)),
    broken: parsed.errors.some((error) => error.severity === 'Error'),
  }
  if (!source.broken) return { ...source, body: parsed.program.body as AnyNode[] }
  for (const error of parsed.errors.filter((e) => e.severity === 'Error'))
    problems.push({
      kind: 'syntax',
      ...locate(source, error.labels[0]?.start ?? 0),
      message: `syntax error: ${error.message}`,
      remedy: error.helpMessage ?? 'correct the syntax here',
    })
  return source
}

/** File, line and column of an offset in a source. */
export function locate(source: Source, offset: number): { file: string; line: number; column: number } {
  const before = source.text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  let line = 1
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line++
  return { file: source.path, line, column: offset - lineStart + 1 }
}
