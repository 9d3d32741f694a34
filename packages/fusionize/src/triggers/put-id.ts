import type { ObjectMeta } from './types.js'

/**
 * Id of a put.
 * @param invocation id of the run that puts, the same over retries
 * @param ordinal counts the puts of that run
 */
export function putIdOf(invocation: string, ordinal: number): string {
  return `${invocation}#${ordinal}`
}

/** Orders the objects of one source by the ordinals of their puts; by arrival when the ids have none. */
export function byOrdinal(a: ObjectMeta, b: ObjectMeta): number {
  return ordinalOf(a) - ordinalOf(b) || a.seq - b.seq
}

function ordinalOf({ putId }: ObjectMeta): number {
  const mark = putId.lastIndexOf('#')
  const ordinal = mark < 0 ? 0 : Number(putId.slice(mark + 1))
  return Number.isSafeInteger(ordinal) ? ordinal : 0
}
