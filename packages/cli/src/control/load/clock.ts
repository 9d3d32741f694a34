import { performance } from 'node:perf_hooks'
import type { Clock } from './fire.js'

/** The time that goes by. */
export const clock: Clock = {
  now: () => performance.now(),
  at(timeMs, callback) {
    // setTimeout may fire up to a millisecond early.
    const tick = () => {
      const left = timeMs - performance.now()
      if (left <= 0) callback()
      else timer = setTimeout(tick, left)
    }
    let timer = setTimeout(tick, timeMs - performance.now())
    return () => clearTimeout(timer)
  },
}
