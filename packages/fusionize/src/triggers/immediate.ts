import type { TriggerMachine } from './machine.js'
import type { ByNameSpec } from './types.js'

/** Fires for every new object (Pheromone, NSDI 2023, §3: Immediate). */
export const immediateMachine: TriggerMachine<null> = {
  scope: 'session',
  init: () => null,
  step(_, event, out) {
    if (event.kind === 'put') out.fire([event.object])
  },
}

/** Fires for every new object with one key (Pheromone, NSDI 2023, §3: ByName). */
export function byNameMachine({ key }: ByNameSpec): TriggerMachine<null> {
  return {
    scope: 'session',
    init: () => null,
    step(_, event, out) {
      if (event.kind === 'put' && event.object.key === key) out.fire([event.object])
    },
  }
}
