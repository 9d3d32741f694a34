import { task } from 'fusionize'
import doomed from './doomed'

export default task('careless', { http: 'POST /careless' }, async (why: string) => {
  await doomed.send(why)
  return 'sent'
})
