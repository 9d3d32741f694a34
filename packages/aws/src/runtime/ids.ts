import { randomBytes } from 'node:crypto'

/** An id that no other invocation, session or trace has. */
export function newId(): string {
  return randomBytes(16).toString('hex')
}
