import { task } from 'fusionize'
import { type Plan, work } from '../lib/plan'

export default task('action-signage', async ({ plan, run }: { plan: Plan; run: number }) => {
  await work(plan, 'action-signage', run)
})
