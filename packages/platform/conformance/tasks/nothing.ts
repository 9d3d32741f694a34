import { task } from 'fusionize'

export default task('nothing', { http: 'POST /nothing' }, async () => {})
