import { task } from 'fusionize'
import { currencies } from '../lib/money'

/** What one can pay in. */
export default task('supported-currencies', async () => currencies)
