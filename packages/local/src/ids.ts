import { randomFillSync } from 'node:crypto'

/** Random bytes are drawn in bulk: asking for a few at a time costs a system call each. */
const pool = Buffer.alloc(4096)
let at = pool.length

/** Random hex, 16 bytes: a session's, an invocation's or a trace's id. */
export function newId(): string {
  if (at + 16 > pool.length) {
    randomFillSync(pool)
    at = 0
  }
  at += 16
  return pool.toString('hex', at - 16, at)
}

/** The W3C ids of a client's traceparent; a new trace without it. */
export function traceOf(traceparent: string | undefined): { trace: string; parent: string | null } {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/.exec(traceparent ?? '')
  return match ? { trace: match[1] as string, parent: match[2] as string } : { trace: newId(), parent: null }
}
