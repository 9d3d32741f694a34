import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WireError } from 'fusionize/runtime'
import pc from 'picocolors'

/** What a task threw, for people: name, message, code, and where in the application's own code; causes follow. */
export function formatTaskError(error: WireError, dir: string): string {
  const code = error.code === undefined ? '' : pc.dim(` [${error.code}]`)
  // fusionize's own errors are known by their code
  const name = error.name === 'FusionizeError' ? '' : `${pc.red(error.name)}: `
  const lines = [`${name}${error.message}${code}`, ...ownFrames(error.stack, dir)]
  if (error.cause) lines.push(`caused by ${formatTaskError(error.cause, dir)}`)
  return lines.join('\n')
}

/** The frames of a stack that are the application's own, with paths as people write them, and where it crossed from task to task. */
export function ownFrames(stack: string | undefined, dir: string): string[] {
  return (stack ?? '').split('\n').flatMap((line) => {
    if (/^\s*--- /.test(line)) return [pc.dim(`  ${line.trim().slice(4)}`)]
    const frame = /^\s+at (.*?)((?:file:\/\/)?\/[^\s():]+)(:\d+:\d+.*)$/.exec(line)
    if (!frame) return []
    const [, before, path, after] = frame as unknown as [string, string, string, string]
    const file = relative(dir, path.startsWith('file:') ? fileURLToPath(path) : path)
    if (file.startsWith('..') || file.includes('node_modules') || file.startsWith('.fusionize')) return []
    return [pc.dim(`  at ${before}${file}${after}`)]
  })
}
