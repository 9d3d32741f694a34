import { task } from 'fusionize'

/** Does nothing: what is left of a request is what the platform takes. */
export default task('noop', { http: 'POST /noop' }, async ({ n }: { n: number }) => ({ n }))
