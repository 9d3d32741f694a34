import { sieve } from '@fusionize/example-kit'
import { task } from 'fusionize'
import type { CartItem } from '../lib/cart'
import { productOf } from '../lib/catalogue'
import { cpuMs } from '../lib/sizes'
import cartStorage from './cart-storage'

/** Puts something into a cart. What is not sold never gets there. */
export default task('add-cart-item', async ({ user, added }: { user: string; added: CartItem }) => {
  productOf(added.product)
  sieve(cpuMs('sieve'))
  await cartStorage.send({ does: 'add', user, added })
})
