import { task } from 'fusionize'

export default task('one', { http: 'POST /one' }, async ({ n }: { n: number }) => ({ n }))
