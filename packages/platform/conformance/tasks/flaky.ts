import { task } from 'fusionize'

/** Works at the second attempt. */
export default task('flaky', { http: 'POST /flaky', retries: 1 }, async (_: string, { attempt }) => {
  if (attempt === 1) throw new Error('not yet')
})
