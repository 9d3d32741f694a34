import { task } from 'fusionize'

const cents: Record<string, number> = { apple: 60, bread: 320, cheese: 1250 }

export default task('price', async (item: string) => {
  const price = cents[item]
  if (price === undefined) throw new Error(`there is no ${item} in this shop`)
  return price
})
