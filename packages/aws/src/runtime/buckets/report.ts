import type { StepResult } from 'fusionize/buckets'
import { type BucketPorts, COMMIT_MS } from './ports.js'

/** What a step did that nobody else hears of. */
export function logResults({ log }: BucketPorts, bucket: string, results: readonly StepResult[]): void {
  for (const { discarded, failures } of results) {
    for (const { trigger, error } of failures)
      log('error', '', `bucket '${bucket}': the code of its trigger ${trigger} threw ${String(error)}`)
    for (const { session, trigger, objects, missing } of discarded)
      log(
        'warn',
        session,
        `bucket '${bucket}': trigger ${trigger} never fired; discarded ${objects.length} objects (${firstOf(objects.map(({ key }) => key))})` +
          (missing.length > 0 ? `, missing ${firstOf(missing)}` : ''),
      )
  }
}

/** Removes what no record names any more; what stays expires. */
export async function removeObjects({ store, now, log }: BucketPorts, refs: readonly string[]): Promise<void> {
  const deadline = now() + COMMIT_MS
  await Promise.all(
    refs.map((ref) =>
      store.remove(ref, deadline).catch((error: Error) => log('warn', '', `${ref} was not removed: ${error.message}`)),
    ),
  )
}

function firstOf(names: readonly string[]): string {
  return names.length > 10 ? `${names.slice(0, 10).join(', ')}…` : names.join(', ')
}
