import { task } from 'fusionize'
import { samples } from '../buckets/samples'
import { measure } from '../lib/measure'

export default task('producer', { http: 'POST /producer', result: samples }, measure)
