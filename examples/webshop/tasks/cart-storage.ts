import { task } from 'fusionize'
import { type Cart, type CartItem, inOrder, savedItems } from '../lib/cart'
import { store } from '../lib/store'

/** What can be done with a cart that is kept. */
export type CartChange =
  | { does: 'read'; user: string }
  | { does: 'add'; user: string; added: CartItem }
  | { does: 'take'; user: string; order: string; items: string[] }

/**
 * The carts. What was added and what was taken are kept apart and only ever grow, so that doing any of it twice, or in another order,
 * ends in the same cart.
 */
export default task('cart-storage', async (change: CartChange): Promise<Cart> => {
  const { user } = change
  if (change.does === 'add') await store.append(`carts/${user}/added`, change.added.item, change.added)
  if (change.does === 'take') await store.append(`carts/${user}/taken`, change.order, change.items)
  const [added, taken] = await Promise.all([store.entries(`carts/${user}/added`), store.entries(`carts/${user}/taken`)])
  const gone = new Set(taken.flatMap(({ value }) => value as string[]))
  const items = [...savedItems(user), ...added.map(({ value }) => value as CartItem)]
  return { user, items: inOrder(items.filter(({ item }) => !gone.has(item))) }
})
