import { task } from 'fusionize'
import { type Plan, work } from '../lib/plan'

export default task('check-sensor', async (plan: Plan) => {
  await work(plan, 'check-sensor')
})
