import { task } from 'fusionize'

export default task('store', async (_value: string) => {})
