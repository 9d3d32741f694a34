import type { AdEvent } from '@fusionize/example-kit/ads'
import { task } from 'fusionize'
import { events } from '../buckets/events'
import filter from './filter'
import join from './join'

/** Takes a batch of events; replies when all that count are safely in the bucket. */
export default task('ingest', { http: 'POST /events' }, async (batch: { events: AdEvent[] }) => {
  const booked = await join(await filter(batch.events))
  await Promise.all(booked.map(({ id, campaign }) => events.put(id, { campaign })))
  return { received: batch.events.length, accepted: booked.length }
})
