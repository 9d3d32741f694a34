import { task } from 'fusionize'
import listProducts from './list-products'

/** Up to three products that somebody with these in the cart does not have yet. */
export default task('list-recommendations', async (owned: string[]) => {
  const products = await listProducts()
  return products
    .filter(({ id }) => !owned.includes(id))
    .slice(0, 3)
    .map(({ id }) => id)
})
