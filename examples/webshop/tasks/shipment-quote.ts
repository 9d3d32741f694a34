import { task } from 'fusionize'
import type { CartItem } from '../lib/cart'
import { productOf } from '../lib/catalogue'
import type { Money } from '../lib/money'

/** What it costs to send the items: a basic price and one for every kilogram that was begun. */
export default task('shipment-quote', async (items: CartItem[]): Promise<Money> => {
  const grams = items.reduce((sum, { product, quantity }) => sum + productOf(product).weight * quantity, 0)
  return { currency: 'USD', cents: items.length === 0 ? 0 : 490 + 120 * Math.ceil(grams / 1_000) }
})
