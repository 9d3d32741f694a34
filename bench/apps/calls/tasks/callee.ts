import { task } from 'fusionize'

export default task('callee', async ({ n }: { n: number }) => {
  const began = performance.now()
  return { n, tookMs: performance.now() - began }
})
