import { task } from 'fusionize'
import { hop0001 } from '../../buckets/chain/hop-0001'
import { chainResults } from '../../buckets/chain/results'

/** Begins the chain; its last step replies. */
export default task('chain', { http: 'POST /chain', result: chainResults }, async ({ start }: { start: number }) => {
  await hop0001.put('walk', { start, now: start })
})
