import type { TriggerMachine } from './machine.js'
import type { ByTimeSpec, ObjectMeta } from './types.js'

interface State {
  /** Number of the open window since the epoch; -1 while none is open. */
  window: number
  objects: ObjectMeta[]
}

/** Empty windows that are made up for at most, so that a long absence does not fill the memory. */
export const mostEmptyWindows = 10_000

/**
 * Fires at the end of every tumbling window with the objects that arrived in it (Pheromone, §3: ByTime). Windows lie at multiples of
 * `ms` since the epoch; the ordinal of a firing is the number of its window. An object counts for the window that is open
 * when it arrives, so none is late.
 */
export function byTimeMachine({ ms, empty }: ByTimeSpec): TriggerMachine<State> {
  const windowAt = (timeMs: number) => Math.floor(timeMs / ms)
  return {
    scope: 'application',
    init: () => ({ window: -1, objects: [] }),
    step(state, event, out) {
      if (event.kind === 'put') {
        out.hold(event.object)
        if (state.window < 0) state.window = windowAt(out.nowMs)
        state.objects.push(event.object)
      } else if (event.kind === 'time') {
        const now = windowAt(out.nowMs)
        if (state.window >= 0 && state.window < now) {
          const { window, objects } = state
          state.objects = []
          out.fire(objects, undefined, window)
          out.close(objects)
          if (empty)
            for (let missed = Math.max(window + 1, now - mostEmptyWindows); missed < now; missed++)
              out.fire([], undefined, missed)
          state.window = -1
        }
        if (empty && state.window < 0) state.window = now
      }
    },
    dueMs: ({ window }) => (window >= 0 ? (window + 1) * ms : empty ? 0 : -1),
  }
}
