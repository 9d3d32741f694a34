import { task } from 'fusionize'
import type { Reading } from '../lib/reading'
import checkAccident from './check-accident'
import checkLevel from './check-sound-level'

/** Listens for noise and for crashes at the same time. */
export default task('check-sound', async (reading: Reading) => {
  const [loud, accident] = await Promise.all([checkLevel(reading), checkAccident(reading)])
  return { loud, accident }
})
