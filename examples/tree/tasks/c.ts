import { crunch } from '@fusionize/example-kit'
import { task } from 'fusionize'
import type { Leaf } from '../lib/leaf'
import { scaledMs } from '../lib/sizes'
import { store } from '../lib/store'
import f from './f'
import g from './g'

export default task('c', async ({ n, value }: Leaf) => {
  await crunch(scaledMs('kernel'))
  await store.append('ran', `${n}/c`, { value })
  await Promise.all([f.send({ n, value: value + 6 }), g.send({ n, value: value + 7 })])
})
