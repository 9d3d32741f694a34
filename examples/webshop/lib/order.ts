import type { CartItem } from './cart'
import { type Money, sum } from './money'

export interface OrderLine extends CartItem {
  /** Of one piece. */
  price: Money
}

/** What somebody bought. */
export interface Order {
  order: string
  user: string
  lines: OrderLine[]
  shipping: Money
  total: Money
}

/** What the lines and the shipping add up to. */
export function totalOf({ lines, shipping }: Pick<Order, 'lines' | 'shipping'>): Money {
  const pieces = lines.map(({ price, quantity }) => ({ ...price, cents: price.cents * quantity }))
  return sum(shipping.currency, [...pieces, shipping])
}

/** An order cannot be paid. */
export class PaymentDeclined extends Error {
  override readonly name = 'PaymentDeclined'
  readonly code = 'PAYMENT_DECLINED'
}
