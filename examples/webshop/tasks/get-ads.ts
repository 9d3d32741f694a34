import { task } from 'fusionize'
import { catalogue } from '../lib/catalogue'

/** Two advertisements for a user, the same ones every time. */
export default task('get-ads', async (user: string) => {
  const first = [...user].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 9_973, 7)
  return [0, 4].map((step) => {
    const { id, name } = catalogue[(first + step) % catalogue.length] as (typeof catalogue)[number]
    return { product: id, text: `${name}: this week with free delivery` }
  })
})
