import type { InvocationRecord } from 'fusionize/record'
import { isRequest } from '../profile/trace.js'

/** Requests that a simulation draws from, at most; of more, evenly many are left out. */
const MOST = 2000

/** The recorded requests whose beginning is known, by session, numbered in the order in which they came. */
export function recordedRequests(records: readonly InvocationRecord[]): Map<string, { number: number; task: string }> {
  const roots = records.filter((record) => isRequest(record) && record.attempt === 1)
  roots.sort((a, b) => a.start - b.start || (a.session < b.session ? -1 : 1))
  const step = Math.max(1, roots.length / MOST)
  const kept = Array.from(
    { length: Math.min(MOST, roots.length) },
    (_, i) => roots[Math.floor(i * step)] as InvocationRecord,
  )
  const requests = new Map<string, { number: number; task: string }>()
  for (const { session, task } of kept)
    if (!requests.has(session)) requests.set(session, { number: requests.size, task })
  return requests
}
