import { task } from 'fusionize'
import inner from './inner'

export default task('context', { http: 'POST /context' }, async (_: string, { session, invocation, attempt }) => {
  const below = await inner('')
  return { session, invocation, attempt, below }
})
