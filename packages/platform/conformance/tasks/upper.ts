import { task } from 'fusionize'

export default task('upper', async (text: string) => text.toUpperCase())
