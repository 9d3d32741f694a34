import { crunch } from '@fusionize/example-kit'
import { task } from 'fusionize'
import { eventOf, type Reading } from '../lib/reading'
import { cpuMs } from '../lib/sizes'
import { store } from '../lib/store'

/** Says whether the traffic stands. */
export default task('detect-jam', async (reading: Reading) => {
  await crunch(cpuMs('kernel'))
  const jam = reading.airQuality > 300
  await store.append('jams', eventOf(reading), { jam })
  return jam
})
