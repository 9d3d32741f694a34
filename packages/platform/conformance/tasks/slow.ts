import { task } from 'fusionize'

export default task('slow', { http: 'POST /slow', timeout: 1000 }, async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ms
})
