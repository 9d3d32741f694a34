import { sieve } from '@fusionize/example-kit'
import { task } from 'fusionize'
import { cpuMs } from '../lib/sizes'
import { store } from '../lib/store'

/** Has an order packed and sent; the number of the parcel follows from the order. */
export default task('ship-order', async ({ order, user, pieces }: { order: string; user: string; pieces: number }) => {
  const primes = sieve(cpuMs('sieve'))
  await store.append('shipments', order, { user, pieces, lane: primes[pieces % primes.length] })
})
