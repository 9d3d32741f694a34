import { task } from 'fusionize'
import { eventOf, type Reading } from '../lib/reading'
import { store } from '../lib/store'

/** Keeps a reading and gives it its name. */
export default task('store-event', async (reading: Reading) => {
  const event = eventOf(reading)
  await store.put(`readings/${event}`, reading)
  return event
})
