import { crunchAlone } from '@fusionize/example-kit'
import { task } from 'fusionize'
import type { Reading } from '../lib/reading'
import { SensorFault } from '../lib/sensor-fault'
import { cpuMs } from '../lib/sizes'

/**
 * Says whether a reading can be believed.
 * @throws {SensorFault} when it cannot be true at all
 */
export default task('check-sensor', async ({ sensor, temperature, sound }: Reading): Promise<'good' | 'doubtful'> => {
  crunchAlone(cpuMs('validity'))
  if (temperature < -60 || temperature > 80) throw new SensorFault(`${sensor} measures ${temperature} °C: replace it`)
  return temperature > 38 || sound > 98 ? 'doubtful' : 'good'
})
