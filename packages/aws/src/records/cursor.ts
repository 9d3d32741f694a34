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

/** The same, going on no earlier than then. @param from epoch ms */
export function skipTo(text: string, from: number): string {
  const positions = Object.entries(readCursor(text))
  return writeCursor(
    Object.fromEntries(positions.map(([group, one]) => [group, { ...one, from: Math.max(one.from, from) }])),
  )
}

function isPosition(value: unknown): value is Position {
  const { from, seen } = (value ?? {}) as Partial<Position>
  return typeof from === 'number' && Array.isArray(seen)
}
