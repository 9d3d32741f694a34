import { type Json, task } from 'fusionize'

/** Whatever comes, back again: JSON or bytes. */
export default task('echo', { http: 'POST /echo' }, async (value: Json) => value)
