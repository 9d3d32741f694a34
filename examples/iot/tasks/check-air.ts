import { task } from 'fusionize'
import { eventOf, type Reading } from '../lib/reading'
import signage from './action-signage'
import detectJam from './detect-jam'

/** Slows the traffic down where exhaust gases tell of a jam. */
export default task('check-air', async (reading: Reading) => {
  const jam = await detectJam(reading)
  await signage.send({ event: eventOf(reading), cause: 'air', speedLimit: jam ? 60 : 120 })
})
