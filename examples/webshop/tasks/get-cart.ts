import { task } from 'fusionize'
import cartStorage from './cart-storage'

export default task('get-cart', async (user: string) => cartStorage({ does: 'read', user }))
