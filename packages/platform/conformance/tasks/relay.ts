import { task } from 'fusionize'
import upper from './upper'

export default task('relay', { http: 'POST /relay' }, async (text: string) => `${await upper(text)}!`)
