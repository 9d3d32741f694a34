import type { BucketPorts } from './ports.js'

/** Partition of the sessions that began in a function: its sweep looks after them. */
export const watchPartition = (fn: string) => `watch#${fn}`

/** Where a session stands in the watch list until somebody must look after it. */
export function watchEntry({
  function: fn,
  longestMs,
  now,
  newId,
}: Pick<BucketPorts, 'function' | 'longestMs' | 'now' | 'newId'>) {
  return { pk: watchPartition(fn), sk: `${sortable(now() + longestMs)}#${newId()}` }
}

/** Epoch ms as text in the same order. */
export function sortable(ms: number): string {
  return String(Math.round(ms)).padStart(15, '0')
}
