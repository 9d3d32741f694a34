import { task } from 'fusionize'
import square from './square'

export default task('squares', { http: 'POST /squares' }, async (numbers: number[]) => square.map(numbers))
