import { crunchAlone } from '@fusionize/example-kit'
import { task } from 'fusionize'
import type { Money } from '../lib/money'
import { cpuMs } from '../lib/sizes'
import { store } from '../lib/store'

/** Tells the customer what was ordered and what it costs. */
export default task('email', async ({ order, user, total }: { order: string; user: string; total: Money }) => {
  crunchAlone(cpuMs('letter'))
  const amount = `${(total.cents / 100).toFixed(2)} ${total.currency}`
  await store.append('letters', order, { to: user, text: `Your order ${order} is on its way: ${amount}` })
})
