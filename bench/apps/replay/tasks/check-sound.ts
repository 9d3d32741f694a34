import { task } from 'fusionize'
import { type Plan, work } from '../lib/plan'
import checkAccident from './check-accident'
import checkSoundLevel from './check-sound-level'

export default task('check-sound', async (plan: Plan) => {
  await Promise.all([checkSoundLevel(plan), checkAccident(plan)])
  await work(plan, 'check-sound')
})
