import { task } from 'fusionize'
import { measure } from '../lib/measure'

/** A producer whose answer nobody waits for. */
export default task('background', measure)
