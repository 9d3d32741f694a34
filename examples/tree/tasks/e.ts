import { setTimeout as timer } from 'node:timers/promises'
import { task } from 'fusionize'
import type { Leaf } from '../lib/leaf'
import { scaledMs } from '../lib/sizes'

export default task('e', async ({ n, value }: Leaf): Promise<Leaf> => {
  await timer(scaledMs('timer'))
  return { n, value: value * 5 }
})
