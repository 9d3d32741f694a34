import { FusionizeError } from 'fusionize'

export function closedError(bucket: string, session: string): FusionizeError {
  return new FusionizeError(
    'SESSION_CLOSED',
    `bucket '${bucket}', session '${session}': the session has ended; await every put before the task returns`,
    { bucket, session },
  )
}

/** @param known names of the app's buckets */
export function unknownBucket(bucket: string, known: readonly string[]): FusionizeError {
  return new FusionizeError(
    'UNKNOWN_BUCKET',
    `there is no bucket '${bucket}' in this app (${known.length > 0 ? known.join(', ') : 'it has none'}); export it from a file that a task imports, and deploy again`,
    { bucket },
  )
}
