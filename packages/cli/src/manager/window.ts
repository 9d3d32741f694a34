import { isRequest } from '@fusionize/planner'
import type { InvocationRecord } from 'fusionize/record'
import type { Window } from './state.js'

/** Records that are kept of a setup, whole sessions only. */
export const MOST_RECORDS = 6000

/**
 * A window with what came, without the oldest sessions where it becomes too large.
 * @param most records, about: the latest session stays whole
 */
export function extended(window: Window, records: readonly InvocationRecord[], most = MOST_RECORDS): Window {
  const all = [...window.records, ...records]
  const latest = new Map<string, number>()
  for (const { session, start } of all) latest.set(session, Math.max(latest.get(session) ?? 0, start))
  const sizes = new Map<string, number>()
  for (const { session } of all) sizes.set(session, (sizes.get(session) ?? 0) + 1)
  const kept = new Set<string>()
  let left = most
  for (const [session] of [...latest].sort(([, a], [, b]) => b - a)) {
    left -= sizes.get(session) ?? 0
    if (left < 0 && kept.size > 0) break
    kept.add(session)
  }
  return { records: all.filter(({ session }) => kept.has(session)) }
}

/**
 * Records of the sessions that began with a request that was answered before then: the others may not be whole yet.
 * @param beforeMs epoch ms
 */
export function settled(records: readonly InvocationRecord[], beforeMs: number): InvocationRecord[] {
  const sessions = new Set(
    records.filter((one) => isRequest(one) && one.start + one.wall < beforeMs).map(({ session }) => session),
  )
  return records.filter(({ session }) => sessions.has(session))
}
