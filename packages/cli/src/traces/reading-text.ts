import type { Skipped } from '@fusionize/planner'
import { plural } from '../terminal/table.js'
import type { Reading } from './read-files.js'

/** One line: what was read of how many files. */
export function readingLine({ files, incomplete, spans, traces }: Reading): string {
  const formats = [...new Set(files.flatMap((file) => file.formats))]
  const parts = [
    `${plural(traces, 'request')} of ${plural(spans, 'span')} in ${plural(files.length, 'file')}`,
    ...(formats.length > 0 ? [formats.join(', ')] : []),
    ...(incomplete > 0 ? [`in ${incomplete} the other end of a call is missing`] : []),
  ]
  return parts.join('; ')
}

/** What was not used, and why. Empty when all was. */
export function skippedLines({ cut, duplicates, firstSkipped, skipped }: Reading): string[] {
  const lines: string[] = []
  if (skipped > 0) {
    lines.push(
      `${plural(skipped, 'thing')} skipped${skipped > firstSkipped.length ? `, the first ${firstSkipped.length}` : ''}:`,
    )
    for (const one of firstSkipped) lines.push(`  ${placeOf(one)}: ${one.why}`)
  }
  if (duplicates > 0) lines.push(`${plural(duplicates, 'span')} came twice and count once`)
  if (cut.lateSpans > 0)
    lines.push(
      `${plural(cut.lateSpans, 'span')} came after their traces were closed to bound memory, and are left out: --open-spans keeps more`,
    )
  if (cut.longTraces > 0)
    lines.push(
      `${plural(cut.longTraces, 'trace')} had too many spans; ${plural(cut.longTraceSpans, 'span')} are left out`,
    )
  return lines
}

export function placeOf({ file, line }: Skipped): string {
  return line === undefined ? file : `${file}:${line}`
}
