import { crunch } from '@fusionize/example-kit'
import { task } from 'fusionize'
import type { Currency } from '../lib/money'
import { type Order, totalOf } from '../lib/order'
import { cpuMs } from '../lib/sizes'
import { store } from '../lib/store'
import currency from './currency'
import email from './email'
import emptyCart from './empty-cart'
import getCart from './get-cart'
import listProducts from './list-products'
import shipOrder from './ship-order'
import shipmentQuote from './shipment-quote'

/** An order as the customer placed it. */
interface Placed {
  user: string
  order: string
  currency: Currency
}

/** Turns a cart into an order, has it sent, and tells the customer. */
export default task('checkout', async (placed: Placed) => {
  const [bought] = await Promise.all([orderOf(placed), crunch(cpuMs('order'))])
  const { order, user, lines, total } = bought
  const pieces = lines.reduce((sum, { quantity }) => sum + quantity, 0)
  await Promise.all([
    shipOrder.send({ order, user, pieces }),
    email.send({ order, user, total }),
    emptyCart.send({ user, order, items: lines.map(({ item }) => item) }),
  ])
})

async function orderOf({ user, order, currency: to }: Placed): Promise<Order> {
  const { items: inCart } = await getCart(user)
  // Placed again, as by a retry, it is the same order, though its items are no longer in the cart.
  const known = await store.get<Order>(`orders/${order}`)
  const items = known?.lines ?? inCart
  const products = await listProducts()
  const inDollars = items.map(({ product }) => {
    const found = products.find(({ id }) => id === product)
    if (!found) throw new Error(`'${product}' is in the cart of ${user}, and not in the catalogue`)
    return { amount: found.price, to }
  })
  const prices = await currency.map(inDollars)
  const shipping = await currency({ amount: await shipmentQuote(items), to })
  if (known) return known
  const lines = items.map(({ item, product, quantity }, i) => ({
    item,
    product,
    quantity,
    price: prices[i] as (typeof prices)[number],
  }))
  const made: Order = { order, user, lines, shipping, total: totalOf({ lines, shipping }) }
  await store.put(`orders/${order}`, made)
  return made
}
