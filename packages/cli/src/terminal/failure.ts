import { BuildError } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import pc from 'picocolors'
import { plural } from './table.js'
import { UsageError } from './usage-error.js'

/** An expected failure whose words were printed already, or that needs no stack: exit code 1. */
export class Failure extends Error {
  override readonly name = 'Failure'
  constructor(
    message: string,
    /** For `--json`. */
    readonly document?: Record<string, unknown>,
  ) {
    super(message)
  }
}

/** What to tell about an error that ended a command. */
export interface Explanation {
  text: string
  exitCode: 1 | 2
  /** For `--json`: the one document on stdout. */
  document: { error: Record<string, unknown> }
}

export function explain(error: unknown): Explanation {
  if (error instanceof UsageError) {
    const more = `run 'fusionize ${error.command ? `${error.command} ` : ''}--help' to see what there is`
    return { text: `${mark()} ${error.message}\n  ${more}`, exitCode: 2, document: documentOf('USAGE', error.message) }
  }
  if (error instanceof BuildError) {
    const document = { error: { code: error.code, message: error.message, problems: error.problems } }
    return { text: explainBuild(error), exitCode: 1, document }
  }
  if (error instanceof Failure)
    return {
      text: `${mark()} ${error.message}`,
      exitCode: 1,
      document: error.document ? { error: error.document } : documentOf('FAILED', error.message),
    }
  if (error instanceof FusionizeError)
    return {
      text: `${mark()} ${error.message} ${pc.dim(`[${error.code}]`)}`,
      exitCode: 1,
      document: documentOf(error.code, error.message),
    }
  const known = systemFailure(error)
  if (known) return { text: `${mark()} ${known}`, exitCode: 1, document: documentOf('FAILED', known) }
  const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error)
  const text = `${mark()} ${stack}\n\nThis is a bug in fusionize. Please report it with the lines above and the command you ran.`
  return { text, exitCode: 1, document: documentOf('BUG', error instanceof Error ? error.message : String(error)) }
}

/** The mistakes in an application's source, one after the other: place, what, what to do. */
export function explainBuild({ problems }: BuildError): string {
  const lines = problems.map(
    ({ column, file, kind, line, message, remedy }) =>
      `${mark()} ${kind === 'no-tasks' ? '' : `${pc.bold(`${file}:${line}:${column}`)}: `}${message}\n  ${pc.dim('→')} ${remedy}`,
  )
  if (problems.length > 1) lines.push(`${plural(problems.length, 'problem')}; nothing was built`)
  return lines.join('\n')
}

function mark(): string {
  return pc.red('error')
}

function documentOf(code: string, message: string): { error: Record<string, unknown> } {
  return { error: { code, message } }
}

/** Failures of the machine that have nothing to do with our code. */
function systemFailure(error: unknown): string | undefined {
  const { code, port, path } = (error ?? {}) as { code?: string; port?: number; path?: string }
  if (code === 'EADDRINUSE')
    return `port ${port} is in use by another program; give another with --port, or --port 0 for any that is free`
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return `no permission${path ? ` for ${path}` : ''}; make it accessible to you`
  if (code === 'ENOSPC') return `no space left on the disk${path ? ` for ${path}` : ''}; make some and try again`
  return undefined
}
