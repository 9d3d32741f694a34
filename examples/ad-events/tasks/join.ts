import { type AdEvent, campaignOf } from '@fusionize/example-kit/ads'
import { task } from 'fusionize'
import type { BookedEvent } from '../lib/booked'

/** Finds the campaign of each event's ad; an ad that nobody has booked counts for none. */
export default task(
  'join',
  async (events: AdEvent[]): Promise<BookedEvent[]> =>
    events.flatMap(({ id, ad }) => {
      const campaign = campaignOf(ad)
      return campaign === undefined ? [] : [{ id, campaign }]
    }),
)
