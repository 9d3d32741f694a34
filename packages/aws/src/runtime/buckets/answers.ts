import { noResultError, timeoutError } from 'fusionize'
import { type Deliverable, isRef } from 'fusionize/buckets'
import type { Payload } from 'fusionize/runtime'
import type { Item } from '../attributes.js'
import type { Update } from './changing-table.js'
import { isClosed, sessionKey } from './items.js'
import type { Objects } from './objects.js'
import type { BucketPorts } from './ports.js'
import { fromSaved, type SavedValue, savedOf } from './saved-record.js'

/** Of a session's item: the bucket that its entry waits for, and its first object. */
export const AWAITED = 'awaited'
export const ANSWER = 'answer'
/** Of a session's item: the session that answers for it. */
export const PASSED_ON = 'passed'

/** Ms between two looks at whether the answer is there; doubles. */
const LOOK_MS = { first: 20, last: 1_000 }

/** What a change of the session's item has to say of the answer. */
export function answering(item: Item, bucket: string, value: Deliverable): Pick<Update, 'set'> {
  if (item[AWAITED] !== bucket || item[ANSWER] !== undefined) return {}
  return { set: { [ANSWER]: JSON.stringify(savedOf(value)) } }
}

/**
 * Waits for the first object that the session puts into the bucket.
 * @param deadline epoch ms
 * @throws {FusionizeError} `NO_RESULT` when the session ends without one; `TIMEOUT`
 */
export async function awaitAnswer(
  { table, now, pause }: BucketPorts,
  objects: Objects,
  { session, task, bucket, deadline }: { session: string; task: string; bucket: string; deadline: number },
): Promise<Payload> {
  const began = now()
  let asked = session
  for (let pauseMs = LOOK_MS.first; ; pauseMs = Math.min(LOOK_MS.last, pauseMs * 2)) {
    const key = sessionKey(asked)
    const item = await table.get(key.pk, key.sk, deadline)
    const answer = item?.[ANSWER]
    if (answer !== undefined) {
      const value = fromSaved(JSON.parse(String(answer)) as SavedValue)
      if (!isRef(value)) return value
      const bytes = await objects.read(value.ref)
      return value.json ? Buffer.from(bytes).toString() : bytes
    }
    const passed = item?.[PASSED_ON]
    if (passed !== undefined) asked = String(passed)
    else if (item === undefined || isClosed(item)) throw noResultError(task, bucket)
    if (now() + pauseMs >= deadline) throw timeoutError(task, deadline - began)
    await pause(pauseMs)
  }
}
