import type { Money } from './money'

export interface Product {
  id: string
  name: string
  words: string
  price: Money
  /** Grams. */
  weight: number
}

const rows: [name: string, words: string, cents: number, grams: number][] = [
  ['Kettle', 'steel, whistles', 3_450, 900],
  ['Teapot', 'stoneware for four', 4_200, 1_300],
  ['Tea towel', 'linen, striped', 1_290, 90],
  ['Bread knife', 'serrated, beech handle', 2_750, 210],
  ['Cutting board', 'beech, with a groove', 3_100, 1_600],
  ['Desk lamp', 'brass, two joints', 8_900, 2_100],
  ['Notebook', 'dotted, thread-bound', 1_150, 320],
  ['Fountain pen', 'fine nib, blue', 5_600, 30],
  ['Backpack', 'canvas, 18 litres', 7_400, 780],
  ['Umbrella', 'eight ribs, wooden handle', 4_900, 540],
  ['Bicycle bell', 'brass, loud', 1_890, 110],
]

/** What the shop sells: eleven products. */
export const catalogue: readonly Product[] = rows.map(([name, words, cents, weight], i) => ({
  id: `p-${i + 1}`,
  name,
  words,
  price: { currency: 'USD', cents },
  weight,
}))

/** @throws {NotSold} */
export function productOf(id: string): Product {
  const found = catalogue.find((product) => product.id === id)
  if (!found) throw new NotSold(`there is no product '${id}'; products are p-1 to p-${catalogue.length}`)
  return found
}

/** Somebody asks for what the shop does not have. */
export class NotSold extends Error {
  override readonly name = 'NotSold'
  readonly code = 'NOT_SOLD'
}
