import { task } from 'fusionize'
import { type Plan, work } from '../lib/plan'
import actionSignage from './action-signage'

export default task('check-temperature', async (plan: Plan) => {
  await work(plan, 'check-temperature')
  const next = { plan, run: 0 }
  await (plan.awaited ? actionSignage(next) : actionSignage.send(next))
})
