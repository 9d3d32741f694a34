import { task } from 'fusionize'
import broken from './broken'

/** Says what it caught, so that what a caller sees of an error is compared and not only what leaves the platform. */
export default task('rely', { http: 'POST /rely' }, async (rethrow: boolean) => {
  try {
    return await broken()
  } catch (error) {
    if (rethrow) throw error
    const { name, message, code, item, cause } = error as Error & { code: string; item: string }
    return JSON.stringify({ name, message, code, item, cause: (cause as Error).message })
  }
})
