import { task } from 'fusionize'

export default task('pause', async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
})
