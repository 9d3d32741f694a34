import { crunch } from '@fusionize/example-kit'
import { task } from 'fusionize'
import { eventOf, type Reading } from '../lib/reading'
import { cpuMs } from '../lib/sizes'
import signage from './action-signage'

/** Lowers the speed limit when the road may freeze. */
export default task('check-temperature', async (reading: Reading) => {
  await crunch(cpuMs('kernel'))
  const freezing = reading.temperature <= 3
  await signage.send({ event: eventOf(reading), cause: 'temperature', speedLimit: freezing ? 80 : 120 })
})
