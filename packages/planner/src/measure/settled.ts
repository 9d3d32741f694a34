import type { InvocationRecord } from 'fusionize/record'
import { transientLength } from '../statistics/transient.js'
import type { RequestSample } from './measure.js'

/**
 * What a load left behind without its start: sandboxes that a warm-up was too short for run new code, many times as slowly, and would have a model expect the
 * same of every later run.
 * @param samples in order of arrival
 * @returns the records of all other requests
 */
export function settledRecords(
  samples: readonly RequestSample[],
  records: readonly InvocationRecord[],
): readonly InvocationRecord[] {
  const length = transientLength(samples.map(({ latencyMs }) => latencyMs))
  if (length === 0) return records
  const early = new Set(samples.slice(0, length).map(({ session }) => session))
  return records.filter(({ session }) => !early.has(session))
}
