import { task } from 'fusionize'
import discount from './discount'
import price from './price'
import receipt from './receipt'

export interface Order {
  customer: string
  items: string[]
}

/** The entry: POST /orders. It looks like plain functions, and whether they share a process is not its concern. */
export default task('checkout', { http: 'POST /orders' }, async (order: Order) => {
  const prices = await price.map(order.items) // map: all items in parallel
  const sum = prices.reduce((total, cents) => total + cents, 0)
  const total = sum - (await discount(sum)) // call: waits for the result
  await receipt.send({ customer: order.customer, total }) // send: runs after the reply
  return { customer: order.customer, total }
})
