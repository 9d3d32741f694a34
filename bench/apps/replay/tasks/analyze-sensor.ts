import { task } from 'fusionize'
import { type Plan, work } from '../lib/plan'
import checkAir from './check-air'
import checkSensor from './check-sensor'
import checkSound from './check-sound'
import checkTemperature from './check-temperature'
import storeEvent from './store-event'

/** The call graph of `iot`, its work replaced by the time that it took. */
export default task('analyze-sensor', { http: 'POST /readings' }, async (plan: Plan) => {
  await checkSensor(plan)
  await storeEvent(plan)
  if (plan.awaited) await Promise.all([checkTemperature(plan), checkSound(plan), checkAir(plan)])
  else await Promise.all([checkTemperature.send(plan), checkSound.send(plan), checkAir.send(plan)])
  await work(plan, 'analyze-sensor')
})
