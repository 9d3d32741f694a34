import { sieve } from '@fusionize/example-kit'
import { task } from 'fusionize'
import { eventOf, type Reading } from '../lib/reading'
import { cpuMs } from '../lib/sizes'
import { store } from '../lib/store'

/** Says whether that was a crash: the ring of metal is at its clearest at a prime level. */
export default task('check-accident', async (reading: Reading) => {
  const level = Math.round(reading.sound)
  const accident = sieve(cpuMs('sieve')).includes(level) && level > 80
  await store.append('accidents', eventOf(reading), { accident, level })
  return accident
})
