import { task } from 'fusionize'

export default task('sink', async ({ n }: { n: number }) => {
  if (n < 0) throw new RangeError('never sent')
})
