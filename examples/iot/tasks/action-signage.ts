import { crunch } from '@fusionize/example-kit'
import { task } from 'fusionize'
import { cpuMs } from '../lib/sizes'
import { store } from '../lib/store'

/** A speed limit to show, and why. */
export interface Sign {
  event: string
  cause: 'temperature' | 'air'
  /** km/h. */
  speedLimit: number
}

const signs = [1, 2, 3, 4, 5, 6]

/** Sets the six signs that stand before a sensor. */
export default task('action-signage', async ({ event, cause, speedLimit }: Sign) => {
  await crunch(cpuMs('kernel'))
  await Promise.all(signs.map((sign) => store.append('signs', `${event}/${cause}/${sign}`, { speedLimit })))
})
