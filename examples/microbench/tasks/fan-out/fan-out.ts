import { task } from 'fusionize'
import { fanOutItems } from '../../buckets/fan-out/items'
import { fanOutParts } from '../../buckets/fan-out/parts'
import { fanOutResults } from '../../buckets/fan-out/results'
import { keysOf } from '../../lib/fan'

/** Puts `n` objects at once; their join replies. */
export default task('fan-out', { http: 'POST /fan-out', result: fanOutResults }, async ({ n }: { n: number }) => {
  if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`n is ${n}; give a whole number of objects, 1 or more`)
  const keys = keysOf(n)
  await fanOutParts.expect(keys)
  await Promise.all(keys.map((key, index) => fanOutItems.put(key, { index, of: n })))
})
