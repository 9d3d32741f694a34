import { setImmediate as turn } from 'node:timers/promises'
import { sharedBytes, task } from 'fusionize'
import { boards } from '../buckets/boards'
import { samples } from '../buckets/samples'
import { spins } from '../buckets/spins'
import { BOARD_BYTES, boardIn } from '../lib/board'
import { nowUs } from '../lib/clock'

/** Us from a put to the next: by then what the put before set off is over. */
const PACE_US = 300

/** Puts one after the other without parking between: its own thread and the consumer's spin. */
export default task(
  'spin-producer',
  { http: 'POST /spin-producer', result: samples },
  async ({ puts }: { puts: number }) => {
    const bytes = sharedBytes(BOARD_BYTES)
    await boards.put('board', bytes)
    const { us, count } = boardIn(bytes)
    const seen: number[] = []
    for (let i = 1; i <= puts; i++) {
      const began = nowUs()
      await spins.put(String(i), nowUs())
      while (Atomics.load(count, 0) < i || nowUs() - began < PACE_US) await turn()
      seen.push(us[0] as number)
    }
    await samples.put('us', seen)
  },
)
