import { task } from 'fusionize'

export default task('inner', async (_: string, { session, invocation }) => ({ session, invocation }))
