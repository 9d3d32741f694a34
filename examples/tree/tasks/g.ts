import { crunch } from '@fusionize/example-kit'
import { task } from 'fusionize'
import type { Leaf } from '../lib/leaf'
import { scaledMs } from '../lib/sizes'
import { store } from '../lib/store'

export default task('g', async ({ n, value }: Leaf) => {
  await crunch(scaledMs('heavyKernel'))
  await store.append('ran', `${n}/g`, { value: value * 7 })
})
