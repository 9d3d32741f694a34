import { task } from 'fusionize'
import { measure, type SensorRequest } from '../lib/reading'
import { object, text, wholeNumber } from '../lib/schema'
import checkAir from './check-air'
import checkSensor from './check-sensor'
import checkSound from './check-sound'
import checkTemperature from './check-temperature'
import storeEvent from './store-event'

const request = object<SensorRequest>({ sensor: text(/^s-\d{1,3}$/), at: wholeNumber() })

/** Takes a reading, keeps it, and has it looked at from three sides after the reply. */
export default task('analyze-sensor', { http: 'POST /readings', input: request }, async (asked) => {
  const reading = measure(asked)
  const quality = await checkSensor(reading)
  const event = await storeEvent(reading)
  await Promise.all([checkTemperature.send(reading), checkSound.send(reading), checkAir.send(reading)])
  return { event, quality, reading }
})
