import { setTimeout as timer } from 'node:timers/promises'
import { type BucketObject, task } from 'fusionize'
import { answers } from '../../buckets/stragglers/answers'
import type { Start } from '../../lib/race'

/** Answers in its time, unless the others were enough before. */
export default task('stragglers-source', async ({ key, value }: BucketObject<Start>, { signal }) => {
  answers.source(key)
  if (value.delayMs > 0) await timer(value.delayMs, undefined, { signal }).catch(ignoreAbort)
  if (!signal.aborted) await answers.put(key, value)
})

function ignoreAbort(error: Error): void {
  if (error.name !== 'AbortError') throw error
}
