import { setTimeout as timer } from 'node:timers/promises'
import { task } from 'fusionize'
import type { Leaf } from '../lib/leaf'
import { scaledMs } from '../lib/sizes'
import d from './d'

export default task('b', async (leaf: Leaf): Promise<Leaf> => {
  const { n, value } = await d(leaf)
  await timer(scaledMs('timer'))
  return { n, value: value * 2 }
})
