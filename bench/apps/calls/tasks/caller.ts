import { task } from 'fusionize'
import callee from './callee'

/** Calls one after the other; µs of each that the callee did not work. */
export default task('caller', async (calls: number) => {
  const overheads: number[] = []
  for (let n = 0; n < calls; n++) {
    const began = performance.now()
    const { tookMs } = await callee({ n })
    overheads.push((performance.now() - began - tookMs) * 1000)
  }
  return overheads
})
