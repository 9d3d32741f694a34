import { crunch } from '@fusionize/example-kit'
import { task } from 'fusionize'
import type { Leaf } from '../lib/leaf'
import { scaledMs } from '../lib/sizes'
import { store } from '../lib/store'

export default task('f', async ({ n, value }: Leaf) => {
  await crunch(scaledMs('kernel'))
  await store.append('ran', `${n}/f`, { value: value * 6 })
})
