import type { TriggerMachine } from './machine.js'
import type { BySetSpec, ObjectMeta } from './types.js'

interface State {
  /** By place in the declared keys. */
  seen: (ObjectMeta | null)[]
  count: number
}

/** Fires when all keys of a fixed set are there, in the declared order; then waits for all of them anew (Pheromone, §3: BySet). */
export function bySetMachine({ keys }: BySetSpec): TriggerMachine<State> {
  const places = new Map(keys.map((key, place) => [key, place]))
  const none = () => keys.map(() => null)
  return {
    scope: 'session',
    init: () => ({ seen: none(), count: 0 }),
    step(state, event, out) {
      if (event.kind !== 'put') return
      const place = places.get(event.object.key)
      if (place === undefined) return
      out.hold(event.object)
      state.seen[place] = event.object
      if (++state.count < keys.length) return
      const objects = state.seen as ObjectMeta[]
      state.seen = none()
      state.count = 0
      out.fire(objects)
      out.close(objects)
    },
    rest(state) {
      const objects = state.seen.filter((object) => object !== null)
      const missing = keys.filter((_, place) => state.seen[place] === null)
      return { objects, missing, incomplete: objects.length > 0 }
    },
  }
}
