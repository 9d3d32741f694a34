import type { Outlet, TriggerMachine } from './machine.js'
import type { ByBatchSizeSpec, ObjectMeta } from './types.js'

interface State {
  queue: ObjectMeta[]
  /** When the oldest object has waited long enough, epoch ms; -1 for never. */
  dueMs: number
}

/**
 * Fires when `n` objects are there, oldest first (Pheromone, §3: ByBatchSize). A batch of fewer goes out only when its oldest object
 * has waited `maxWaitMs`, or with `flush` at the end: of the session, or for application scope of the application.
 */
export function byBatchSizeMachine({ n, scope, maxWaitMs, flush }: ByBatchSizeSpec): TriggerMachine<State> {
  const end = scope === 'session' ? 'sessionEnd' : 'flush'
  return {
    scope,
    init: () => ({ queue: [], dueMs: -1 }),
    step(state, event, out) {
      if (event.kind === 'put') {
        out.hold(event.object)
        if (state.queue.length === 0 && maxWaitMs !== undefined) state.dueMs = out.nowMs + maxWaitMs
        state.queue.push(event.object)
        // A queue grows longer than n only by a deployment that makes n smaller.
        while (state.queue.length > n) fire(state.queue.splice(0, n), out)
        if (state.queue.length === n) fireAll(state, out)
      } else if (event.kind === 'time' || (event.kind === end && flush)) {
        if (state.queue.length > 0) fireAll(state, out)
      }
    },
    ...(maxWaitMs !== undefined && { dueMs: (state: State) => state.dueMs }),
    rest: ({ queue }) => ({ objects: queue, missing: [], incomplete: queue.length > 0 }),
  }
}

/** Hands the queue itself over: the put path copies nothing. */
function fireAll(state: State, out: Outlet): void {
  const batch = state.queue
  state.queue = []
  state.dueMs = -1
  fire(batch, out)
}

function fire(batch: ObjectMeta[], out: Outlet): void {
  out.fire(batch)
  out.close(batch)
}
