import { setTimeout as timer } from 'node:timers/promises'
import { task } from 'fusionize'
import type { Leaf } from '../lib/leaf'
import { scaledMs } from '../lib/sizes'
import e from './e'

export default task('d', async (leaf: Leaf): Promise<Leaf> => {
  const { n, value } = await e(leaf)
  await timer(scaledMs('timer'))
  return { n, value: value + 4 }
})
