import { task } from 'fusionize'
import { samples } from '../buckets/samples'
import type { Order } from '../lib/measure'
import background from './background'

export default task('start', { http: 'POST /start', result: samples }, async (order: Order) => {
  await background.send(order)
})
