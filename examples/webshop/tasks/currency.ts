import { task } from 'fusionize'
import { type Currency, convert, type Money } from '../lib/money'

/** Says what an amount is in another currency. */
export default task('currency', async ({ amount, to }: { amount: Money; to: Currency }) => convert(amount, to))
