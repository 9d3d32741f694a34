import { task } from 'fusionize'
import pause from './pause'

/** Answers, and leaves work behind. */
export default task('late', { http: 'POST /late' }, async (ms: number) => {
  await pause.send(ms)
  return 'early'
})
