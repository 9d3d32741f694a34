import type { Item } from '../attributes.js'

/*
 * Two kinds of items, with the same attributes:
 * - of a session: its open invocations, and the records of the buckets that only it sees;
 * - of a bucket of the application: its record.
 *
 * What changes together is in one item, so that one conditional update is a transaction.
 */

/** Where an item is. */
export interface ItemKey {
  pk: string
  sk: string
}

const SESSION = 'session#'

export const sessionKey = (session: string): ItemKey => ({ pk: `${SESSION}${session}`, sk: 'state' })
export const bucketItemKey = (bucket: string): ItemKey => ({ pk: `bucket#${bucket}`, sk: 'state' })

/** The session whose item is in the partition; undefined in that of a bucket. */
export function sessionOf(pk: string): string | undefined {
  return pk.startsWith(SESSION) ? pk.slice(SESSION.length) : undefined
}

/** Counts all changes of the item. */
export const VERSION = 'v'
/** Of a session: epoch ms of its end. Nothing but outboxes may be left then. */
export const CLOSED = 'closed'
/** Of a session: sort key of its entry in the watch list. */
export const WATCHED = 'watched'
/** Of a session: the deployment that it began with. */
export const SETUP = 'setup'
/** Epoch s at which the item goes by itself. */
export const EXPIRES = 'expires'

/** Record of a bucket, as text. */
export const recordName = (bucket: string) => `b:${bucket}`
/** Counts the changes of the record. */
export const recordVersion = (bucket: string) => `n:${bucket}`
/** An invocation that is handed over or runs; epoch ms after which it is taken for lost. */
export const openName = (invocation: string) => `o:${invocation}`
/** A run that a session began with is over; stays when that has ended. */
export const overName = (run: string) => `d:${run}`
/** Firings of one commit that are not known to have been handed over. */
export const outboxName = (commit: string) => `f:${commit}`
/** A promise that the key will be put. */
export const expectedName = (bucket: string, key: string) => `e:${bucket}\n${key}`
/** The session has put into a bucket of the application. */
export const touchedName = (bucket: string) => `t:${bucket}`

/** Sources that a commit has found nobody needs any more, with their buckets, as JSON. */
export const unneededName = (commit: string) => `u:${commit}`

export function namesWith(item: Item, prefix: 'b:' | 'd:' | 'f:' | 'o:' | 't:' | 'e:' | 'u:'): string[] {
  return Object.keys(item).filter((name) => name.startsWith(prefix))
}

/** Invocations of the session that are open, with the epoch ms after which they are taken for lost. */
export function openOf(item: Item): { id: string; dueMs: number }[] {
  return namesWith(item, 'o:').map((name) => ({ id: name.slice(2), dueMs: Number(item[name]) }))
}

/** Whether nothing of the session runs, is handed over, expected or firing. */
export function isQuiet(item: Item): boolean {
  return !Object.keys(item).some((name) => name.startsWith('o:') || name.startsWith('f:') || name.startsWith('e:'))
}

export function isClosed(item: Item | undefined): boolean {
  return item?.[CLOSED] !== undefined
}
