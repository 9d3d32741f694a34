import type { InvocationRecord } from 'fusionize/record'
import { transientLength } from '../statistics/transient.js'
import type { RequestSample } from './measure.js'

export interface Settled {
  /** In order of arrival. */
  samples: readonly RequestSample[]
  records: readonly InvocationRecord[]
}

/**
 * What a load left behind without its start: sandboxes that a warm-up was too short for run new code, many times as slowly, and would have a model expect the
 * same of every later run.
 * @param samples in order of arrival
 * @returns all other requests; the arguments themselves where there is no such start
 */
export function settledOf(samples: readonly RequestSample[], records: readonly InvocationRecord[]): Settled {
  const length = transientLength(samples.map(({ latencyMs }) => latencyMs))
  if (length === 0) return { samples, records }
  const early = new Set(samples.slice(0, length).map(({ session }) => session))
  return { samples: samples.slice(length), records: records.filter(({ session }) => !early.has(session)) }
}
