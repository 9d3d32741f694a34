import { task } from 'fusionize'
import sink from './sink'

/** Sends one after the other; µs until each is accepted. */
export default task('sender', async (sends: number) => {
  const waits: number[] = []
  for (let n = 0; n < sends; n++) {
    const began = performance.now()
    await sink.send({ n })
    waits.push((performance.now() - began) * 1000)
  }
  return waits
})
