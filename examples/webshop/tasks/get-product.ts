import { task } from 'fusionize'
import { productOf } from '../lib/catalogue'

/** @throws {NotSold} */
export default task('get-product', async (id: string) => productOf(id))
