import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WireError } from 'fusionize/runtime'
import pc from 'picocolors'

/** What a task threw, for people: name, message, code, and where in the application's own code; causes follow. */
export function formatTaskError(error: WireError, dir: string): string {
  const code = error.code === undefined ? '' : pc.dim(` [${error.code}]`)
  const lines = [`${pc.red(error.name)}: ${error.message}${code}`, ...ownFrames(error.stack, dir)]
  if (error.cause) lines.push(`caused by ${formatTaskError(error.cause, dir)}`)
  return lines.join('\n')
}

/** The frames of a stack that are neither fusionize's nor Node's, with paths as people write them. */
export function ownFrames(stack: string | undefined, dir: string): string[] {
  const frames = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return frames
    .filter((line) => !/[( ]node:|npm:|[/(]node_modules\/|fusionize\/src\//.test(line))
    .map((line) => line.replace(/(file:\/\/)?\/[^\s():]+/, (path) => shorten(path, dir)))
    .map((line) => pc.dim(`  ${line.trim()}`))
}

function shorten(path: string, dir: string): string {
  const file = path.startsWith('file:') ? fileURLToPath(path) : path
  const short = relative(dir, file)
  return short.startsWith('..') ? file : short
}
