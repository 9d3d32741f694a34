import type { RequestTrace } from '@fusionize/planner'
import type { ArgsDef } from 'citty'
import { numberFlag } from '../terminal/check-args.js'
import { Failure } from '../terminal/failure.js'
import type { Output } from '../terminal/output.js'
import { UsageError } from '../terminal/usage-error.js'
import { type Reading, readTraces } from './read-files.js'
import { placeOf, skippedLines } from './reading-text.js'

/** Options of commands that read traces. */
export const readingArgs = {
  file: { type: 'positional', description: 'Files with traces, gzipped or not; - is stdin' },
  html: { type: 'string', valueHint: 'file', description: 'Also write a page that loads nothing' },
  'open-spans': {
    type: 'string',
    valueHint: 'n',
    default: '400000',
    description: 'Spans of unfinished traces kept in memory',
  },
} as const satisfies ArgsDef

/** The files of a command line. @throws {UsageError} stdin is among them twice */
export function filesOf(command: string, positionals: readonly string[]): string[] {
  if (positionals.filter((file) => file === '-').length > 1) throw new UsageError('stdin can be read once', command)
  return [...positionals]
}

/**
 * Reads the files and tells on stderr what was not used.
 * @throws {Failure} there was nothing to use
 */
export async function readAll(
  files: readonly string[],
  args: { 'open-spans'?: string },
  out: Output,
  onTrace: (trace: RequestTrace) => void,
): Promise<Reading> {
  const maxOpenSpans = numberFlag('open-spans', args['open-spans'], { min: 1, whole: true })
  const reading = await readTraces(files, onTrace, { ...(maxOpenSpans !== undefined && { maxOpenSpans }) })
  const skipped = skippedLines(reading)
  if (reading.traces === 0) {
    const message = [`no request could be read from ${files.join(', ')}`, ...skipped].join('\n  ')
    throw new Failure(message, {
      code: 'NOTHING_USABLE',
      message: `no request could be read from ${files.join(', ')}`,
      input: reading,
    })
  }
  if (skipped.length > 0) out.warn(skipped.join('\n  '))
  return reading
}

/** For pages: what was skipped, by place. */
export function skippedRows({ firstSkipped }: Reading): { place: string; why: string }[] {
  return firstSkipped.map((one) => ({ place: placeOf(one), why: one.why }))
}
