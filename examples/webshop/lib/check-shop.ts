import type { Store } from '@fusionize/example-kit'
import type { CartItem } from './cart'
import { type Order, totalOf } from './order'

/**
 * Checks the shop's books after a load: every item of an order was put into a cart once, is in that order alone and no longer in the cart, and
 * every order adds up, was shipped and announced.
 * @returns what is wrong, a line each
 */
export async function checkShop(store: Store): Promise<string[]> {
  const problems: string[] = []
  const ordered = new Map<string, string>()
  const shipped = new Set((await store.entries('shipments')).map(({ id }) => id))
  const announced = new Set((await store.entries('letters')).map(({ id }) => id))
  for (const key of await store.list('orders/')) {
    const order = (await store.get<Order>(key)) as Order
    const { total, lines, user } = order
    if (totalOf(order).cents !== total.cents) problems.push(`${key}: the total is not the sum of its parts`)
    if (!shipped.has(order.order)) problems.push(`${key} was not shipped`)
    if (!announced.has(order.order)) problems.push(`${key}: its customer was not told`)
    const taken = (await store.entries(`carts/${user}/taken`)).find(({ id }) => id === order.order)?.value
    if (JSON.stringify(taken) !== JSON.stringify(lines.map(({ item }) => item)))
      problems.push(`${key}: what was taken out of the cart is not what was ordered`)
    for (const { item } of lines) {
      const bought = `${user}/${item}`
      const other = ordered.get(bought)
      if (other !== undefined) problems.push(`${bought} is in two orders: ${other} and ${order.order}`)
      ordered.set(bought, order.order)
      if (item.startsWith('saved-')) continue
      const added = (await store.entries(`carts/${user}/added`)).find(({ id }) => id === item)?.value as CartItem
      if (!added) problems.push(`${bought} is in an order, and nobody put it into a cart`)
    }
  }
  return problems
}
