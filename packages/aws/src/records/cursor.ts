import { FusionizeError } from 'fusionize'

/** How far the log of each function has been read. */
export interface Cursor {
  [group: string]: Position
}

export interface Position {
  /** Epoch ms from which to read again. */
  from: number
  /** Ids of the events since then that were read. */
  seen: string[]
}

/** As it is given out: opaque, and short enough for a command line. */
export function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

/** @throws {FusionizeError} `INVALID_INPUT` for what no `writeCursor` made */
export function readCursor(text: string): Cursor {
  try {
    const cursor: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (typeof cursor === 'object' && cursor !== null && Object.values(cursor).every(isPosition))
      return cursor as Cursor
  } catch {
    // Said below.
  }
  throw new FusionizeError('INVALID_INPUT', `'${text}' does not say how far records were read; begin without it`)
}

/** Where to go on reading these groups, but no earlier than then. @param since absent: nothing was read. @param from epoch ms */
export function skipTo(groups: readonly string[], since: string | undefined, from: number): string {
  const cursor = since === undefined ? {} : readCursor(since)
  const position = (group: string): Position => {
    const known = cursor[group] ?? { from, seen: [] }
    return { ...known, from: Math.max(known.from, from) }
  }
  return writeCursor(Object.fromEntries(groups.map((group) => [group, position(group)])))
}

function isPosition(value: unknown): value is Position {
  const { from, seen } = (value ?? {}) as Partial<Position>
  return typeof from === 'number' && Array.isArray(seen)
}
