import { task } from 'fusionize'

export default task('square', async (n: number) => {
  if (n < 0) throw new RangeError(`no square of ${n}`)
  return n * n
})
