import { task } from 'fusionize'
import { type Plan, work } from '../lib/plan'

export default task('store-event', async (plan: Plan) => {
  await work(plan, 'store-event')
})
