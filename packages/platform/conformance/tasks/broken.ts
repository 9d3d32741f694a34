import { task } from 'fusionize'

class StockError extends Error {
  override readonly name = 'StockError'
  readonly code = 'OUT_OF_STOCK'
  readonly item = 'bolt'
}

export default task('broken', async (): Promise<string> => {
  throw new StockError('no bolts left', { cause: new RangeError('0 of 3') })
})
