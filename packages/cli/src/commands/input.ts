import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Payload } from 'fusionize/runtime'
import { UsageError } from '../terminal/usage-error.js'

/** Arguments of the commands that give a task its input. */
export const inputArgs = {
  task: { type: 'positional', required: true, description: 'Name of the task' },
  input: { type: 'positional', required: false, description: 'JSON, @file or - for stdin (default: none)' },
  bytes: { type: 'boolean', default: false, description: 'The input is bytes, not JSON' },
} as const

/**
 * The input that a command line names.
 * @throws {UsageError} when there is no such file or it is not JSON
 */
export async function readInput(argument: string | undefined, bytes: boolean): Promise<Payload> {
  if (argument === undefined) return undefined
  const content = await contentOf(argument)
  if (bytes) return new Uint8Array(content)
  const text = content.toString('utf8')
  try {
    JSON.parse(text)
    return text
  } catch (error) {
    const remedy =
      argument === '-' || argument.startsWith('@')
        ? 'give --bytes if it is meant to be bytes'
        : `quote it for your shell, as in '{"name":"Ada"}' or '"Ada"'`
    throw new UsageError(`the input is not JSON: ${(error as Error).message}; ${remedy}`)
  }
}

async function contentOf(argument: string): Promise<Buffer> {
  if (argument === '-') {
    const chunks: Buffer[] = []
    for await (const chunk of process.stdin) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
  if (!argument.startsWith('@')) return Buffer.from(argument)
  const file = resolve(argument.slice(1))
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read ${file}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`)
  })
}
