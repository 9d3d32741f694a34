import { currencies } from './money'
import type { ShopRequest } from './request'

/** What each virtual user does, in this order. */
export const visit = ['add', 'home', 'checkout'] as const

/** The `index`-th request of a load: every user adds something to the cart, looks at the shop, and buys. */
export function loadRequest(index: number): ShopRequest & { action: (typeof visit)[number] } {
  const number = Math.floor(index / visit.length)
  const user = `u-${number}`
  const currency = currencies[number % currencies.length] as (typeof currencies)[number]
  const action = visit[index % visit.length] as (typeof visit)[number]
  if (action === 'home') return { action, user, currency }
  if (action === 'checkout') return { action, user, currency, order: `o-${number}` }
  return { action, user, currency, item: `i-${number}`, product: `p-${(number % 11) + 1}`, quantity: (number % 3) + 1 }
}
