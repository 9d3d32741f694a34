import { task } from 'fusionize'
import { catalogue } from '../lib/catalogue'

/** The products that have all of the words in their name or description. */
export default task('search-products', async (words: string) => {
  const wanted = words.toLowerCase().split(/\s+/)
  return catalogue.filter((product) => {
    const text = `${product.name} ${product.words}`.toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
})
