import { stripVTControlCharacters } from 'node:util'
import pc from 'picocolors'

export type Align = 'left' | 'right'

/** Rows as lines with aligned columns, two spaces apart. */
export function columns(rows: readonly (readonly string[])[], align: readonly Align[] = []): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell))
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const space = ' '.repeat((widths[i] ?? 0) - width(cell))
        return align[i] === 'right' ? space + cell : cell + space
      })
      .join('  ')
      .trimEnd(),
  )
}

/** A table with a heading for people; numbers belong to the right. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly Align[] = [],
): string {
  return columns([heading.map((cell) => pc.dim(cell)), ...rows], align).join('\n')
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

export function formatMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** `3 functions`, `1 function`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length
}
