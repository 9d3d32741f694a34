import { task } from 'fusionize'

export default task('receipt', async (sale: { customer: string; total: number }, { log }) => {
  log.info(`receipt for ${sale.customer}: ${(sale.total / 100).toFixed(2)}`)
})
