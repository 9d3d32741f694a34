import { task } from 'fusionize'
import { fanSetItems } from '../../buckets/fan-set/items'
import { fanSetResults } from '../../buckets/fan-set/results'
import { keysOf } from '../../lib/fan'

/** Puts 16 objects at once; their join replies. */
export default task('fan-set', { http: 'POST /fan-set', result: fanSetResults }, async () => {
  await Promise.all(keysOf(16).map((key, index) => fanSetItems.put(key, { index, of: 16 })))
})
