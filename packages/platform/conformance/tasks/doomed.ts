import { task } from 'fusionize'

/** Fails as often as it is tried, but for what is said to be harmless. */
export default task('doomed', { http: 'POST /doomed', retries: 1 }, async (_why: string) => {
  throw new TypeError('never works')
})
