import { task } from 'fusionize'
import type { Currency, Money } from '../lib/money'
import { type Order, PaymentDeclined, totalOf } from '../lib/order'
import { store } from '../lib/store'

/**
 * Charges a customer for an order, once however often it is asked to.
 * @throws {PaymentDeclined} when there is no such order of theirs yet, or it does not add up
 */
export default task('payment', async ({ user, order }: { user: string; order: string }): Promise<{ paid: Money }> => {
  const found = await store.get<Order>(`orders/${order}`)
  if (found?.user !== user) throw new PaymentDeclined(`${user} has no order '${order}' that is ready to be paid`)
  const { total } = found
  if (totalOf(found).cents !== total.cents) throw new PaymentDeclined(`order '${order}' does not add up`)
  await store.append('payments', order, { user, currency: total.currency as Currency, cents: total.cents })
  return { paid: total }
})
