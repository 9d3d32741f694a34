import { setTimeout as sleep } from 'node:timers/promises'
import { task } from 'fusionize'
import { hops } from '../buckets/hops'
import { samples } from '../buckets/samples'
import { seen } from '../buckets/seen'
import { nowUs } from '../lib/clock'

/**
 * Puts one after the other, each when the consumer of the one before has begun. Between them it waits `pauseMs`, and with it, when that
 * is not 0, its sandbox is taken.
 */
export default task(
  'producer',
  { http: 'POST /producer', result: samples },
  async ({ puts, pauseMs }: { puts: number; pauseMs: number }) => {
    const us: number[] = []
    for (let i = 0; i < puts; i++) {
      const key = String(i)
      await hops.put(key, nowUs())
      let found: number | undefined
      do {
        if (pauseMs > 0) await sleep(pauseMs)
        found = await seen.get(key)
      } while (found === undefined)
      us.push(found)
    }
    await samples.put('us', us)
  },
)
