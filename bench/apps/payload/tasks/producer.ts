import { setTimeout as sleep } from 'node:timers/promises'
import { task } from 'fusionize'
import { type Arrival, arrivals } from '../buckets/arrivals'
import { payloads } from '../buckets/payloads'
import { nowUs } from '../lib/clock'
import { sharedBytes } from '../lib/memory'
import { isMarked, stamp } from '../lib/stamp'

/** Puts so many bytes of shared memory again and again, with pauses in which every sandbox parks. */
export default task(
  'producer',
  { http: 'POST /producer' },
  async ({ bytes, puts, pauseMs }: { bytes: number; puts: number; pauseMs: number }) => {
    const seen: (Arrival & { sameMemory: boolean })[] = []
    const payload = sharedBytes(bytes)
    for (let i = 0; i < puts; i++) {
      const key = String(i)
      // What was before has not quite ended.
      await sleep(pauseMs)
      stamp(payload, nowUs())
      await payloads.put(key, payload)
      let arrival: Arrival | undefined
      do {
        await sleep(pauseMs)
        arrival = await arrivals.get(key)
      } while (arrival === undefined)
      seen.push({ ...arrival, sameMemory: isMarked(payload) })
    }
    return seen
  },
)
