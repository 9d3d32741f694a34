import type { AdEvent } from '@fusionize/example-kit/ads'
import { task } from 'fusionize'
import { countedTypes } from '../lib/settings'

/** The events of the types that are counted. */
export default task('filter', async (events: AdEvent[]): Promise<AdEvent[]> => {
  const types = countedTypes()
  return events.filter(({ type }) => types.includes(type))
})
