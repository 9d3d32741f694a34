import { task } from 'fusionize'
import { type Plan, work } from '../lib/plan'
import actionSignage from './action-signage'
import detectJam from './detect-jam'

export default task('check-air', async (plan: Plan) => {
  await detectJam(plan)
  await work(plan, 'check-air')
  const next = { plan, run: 1 }
  await (plan.awaited ? actionSignage(next) : actionSignage.send(next))
})
