import { task } from 'fusionize'
import { type Plan, work } from '../lib/plan'

export default task('detect-jam', async (plan: Plan) => {
  await work(plan, 'detect-jam')
})
