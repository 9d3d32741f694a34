import { task } from 'fusionize'

/** Ten percent off from 10.00 on. */
export default task('discount', async (sum: number) => (sum >= 1000 ? Math.round(sum / 10) : 0))
