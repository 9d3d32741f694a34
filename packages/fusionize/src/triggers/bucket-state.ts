import type { ClosedSessions } from './closed-sessions.js'
import type { Deadline } from './deadlines.js'
import type { ScopeState } from './step-outlet.js'
import type { Table } from './table.js'

/** State of a bucket. `JSON.stringify` writes it; what `JSON.parse` reads must go through `restore`. */
export interface BucketState {
  /** What the states of the triggers depend on, by trigger. */
  triggers: string[]
  /** Of the last object, when one of the triggers has application scope. */
  seq: number
  nowMs: number
  application: ScopeState
  sessions: Table<SessionState>
  deadlines: Deadline[]
  closed: ClosedSessions
}

export interface SessionState extends ScopeState {
  /** Of the last object, when all triggers have session scope. */
  seq: number
  /** Puts and declarations that have been accepted or were known. */
  puts: Table<1>
  live: Table<LiveKey>
  /** Live keys that a trigger holds. */
  held: number
  /** Only objects that application-scope triggers hold are left. */
  ended: boolean
}

/** A key that is live until the triggers that hold it let go; until the session ends when none does. */
export interface LiveKey {
  hash: string
  /** Of the object. */
  seq: number
  /** Number of triggers. */
  holds: number
}
