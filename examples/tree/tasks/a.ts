import { task } from 'fusionize'
import b from './b'
import c from './c'

/** The root: sets the heavy side going and waits for the other. */
export default task('a', { http: 'POST /tree' }, async ({ n }: { n: number }) => {
  const [{ value }] = await Promise.all([b({ n, value: n }), c.send({ n, value: n })])
  return { n, value }
})
