import type { WindowCount } from '@fusionize/example-kit/ads'
import { type BucketObject, task } from 'fusionize'
import type { Booked } from '../lib/booked'
import { store } from '../lib/store'

/** Counts a window and keeps the counts, under a name that is the same when it runs again. */
export default task('count', async (events: BucketObject<Booked>[], { invocation }) => {
  const campaigns: WindowCount['campaigns'] = {}
  for (const { value } of events) campaigns[value.campaign] = (campaigns[value.campaign] ?? 0) + 1
  await store.put(`windows/${invocation}`, { events: events.map(({ key }) => key), campaigns } satisfies WindowCount)
})
