/** An amount in hundredths of a unit of its currency: whole, so that sums are exact. */
export interface Money {
  currency: string
  cents: number
}

/** What a dollar buys, in millionths. */
const perDollar = {
  USD: 1_000_000,
  EUR: 924_300,
  GBP: 791_200,
  JPY: 149_650_000,
  CAD: 1_361_700,
  CHF: 881_900,
  SEK: 10_466_400,
  TRY: 32_158_300,
} as const

export type Currency = keyof typeof perDollar

export const currencies = Object.keys(perDollar) as Currency[]

/** @returns the amount in another currency, rounded to the hundredth */
export function convert({ currency, cents }: Money, to: Currency): Money {
  const from = perDollar[currency as Currency]
  return { currency: to, cents: Math.round((cents / from) * perDollar[to]) }
}

/** @throws {RangeError} when they are not all of that currency */
export function sum(currency: string, amounts: readonly Money[]): Money {
  const other = amounts.find((amount) => amount.currency !== currency)
  if (other) throw new RangeError(`${other.currency} cannot be added to ${currency}: convert it first`)
  return { currency, cents: amounts.reduce((cents, amount) => cents + amount.cents, 0) }
}
