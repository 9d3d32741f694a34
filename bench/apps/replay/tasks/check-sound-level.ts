import { task } from 'fusionize'
import { type Plan, work } from '../lib/plan'

export default task('check-sound-level', async (plan: Plan) => {
  await work(plan, 'check-sound-level')
})
