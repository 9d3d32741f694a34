import type { Store } from '../store.js'

/** What the books say of an order; amounts are in hundredths of its currency. */
export interface BookedOrder {
  order: string
  user: string
  lines: { item: string; quantity: number; price: { cents: number } }[]
  shipping: { cents: number }
  total: { cents: number }
}

/**
 * Checks the books of the web shop after a load: every item of an order was put into a cart once, is in that order alone and no longer in the
 * cart, and every order adds up, was shipped and announced.
 * @returns what is wrong, a line each
 */
export async function checkShop(store: Store): Promise<string[]> {
  const problems: string[] = []
  const orderOf = new Map<string, string>()
  const shipped = new Set((await store.entries('shipments')).map(({ id }) => id))
  const announced = new Set((await store.entries('letters')).map(({ id }) => id))
  for (const key of await store.list('orders/')) {
    const { order, user, lines, shipping, total } = (await store.get<BookedOrder>(key)) as BookedOrder
    const sum = lines.reduce((cents, line) => cents + line.quantity * line.price.cents, shipping.cents)
    if (sum !== total.cents) problems.push(`${key}: the total is not the sum of its parts`)
    if (!shipped.has(order)) problems.push(`${key} was not shipped`)
    if (!announced.has(order)) problems.push(`${key}: its customer was not told`)
    const items = lines.map(({ item }) => item)
    const taken = (await store.entries(`carts/${user}/taken`)).filter(({ id }) => id === order)
    if (taken.length !== 1 || JSON.stringify(taken[0]?.value) !== JSON.stringify(items))
      problems.push(`${key}: what was taken out of the cart is not what was ordered`)
    const added = new Set((await store.entries(`carts/${user}/added`)).map(({ id }) => id))
    for (const item of items) {
      const bought = `${user}/${item}`
      const other = orderOf.get(bought)
      if (other !== undefined) problems.push(`${bought} is in two orders: ${other} and ${order}`)
      orderOf.set(bought, order)
      // Everybody comes with some items that they saved earlier.
      if (!item.startsWith('saved-') && !added.has(item))
        problems.push(`${bought} is in an order, and nobody put it into a cart`)
    }
  }
  return problems
}
