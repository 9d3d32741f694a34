import { task } from 'fusionize'
import cartStorage from './cart-storage'

/** Takes what was ordered out of the cart; what was added since stays. */
export default task('empty-cart', async ({ user, order, items }: { user: string; order: string; items: string[] }) => {
  await cartStorage.send({ does: 'take', user, order, items })
})
