import { task } from 'fusionize'

export default task('crash', { http: 'POST /crash' }, async (code: number) => {
  if (code !== 0) process.exit(code)
  return 'alive'
})
