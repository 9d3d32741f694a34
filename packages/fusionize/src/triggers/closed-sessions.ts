import { restoreTable, Table } from './table.js'

/**
 * The sessions that ended last. `recent` becomes `older` when it is full, so between one and two times the capacity are remembered,
 * at one entry each.
 */
export interface ClosedSessions {
  recent: Table<1>
  older: Table<1>
}

/**
 * Ended sessions that a bucket remembers at least. A session ends only when nothing of it is running, so that a later put comes from
 * an attempt that was given up: soon after, or never.
 */
export const rememberedSessions = 5_000

export function noClosedSessions(): ClosedSessions {
  return { recent: new Table(), older: new Table() }
}

export function closeSession(closed: ClosedSessions, session: string): void {
  if (isClosed(closed, session)) return
  if (closed.recent.size === rememberedSessions) {
    closed.older = closed.recent
    closed.recent = new Table()
  }
  closed.recent.set(session, 1)
}

export function isClosed({ recent, older }: ClosedSessions, session: string): boolean {
  return recent.has(session) || older.has(session)
}

export function restoreClosedSessions(closed: ClosedSessions): void {
  closed.recent = restoreTable(closed.recent)
  closed.older = restoreTable(closed.older)
}
