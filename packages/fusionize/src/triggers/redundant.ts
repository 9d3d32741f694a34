import type { Outlet, TriggerMachine } from './machine.js'
import type { ObjectMeta, RedundantSpec } from './types.js'

interface State {
  /** In order of arrival. */
  arrived: ObjectMeta[]
  /** Sources that were declared, then those that came late: each is cancelled at most once. */
  sources: string[]
}

/**
 * Fires with the first `k` of `n` objects, in order of arrival; the generation closes with the n-th (Pheromone, §3: Redundant). With
 * `cancel`, the sources of the others are cancelled once it has fired: the declared ones at once, unknown ones when their
 * object arrives.
 */
export function redundantMachine({ k, n, cancel }: RedundantSpec): TriggerMachine<State> {
  return {
    scope: 'session',
    init: () => ({ arrived: [], sources: [] }),
    step(state, event, out) {
      if (event.kind === 'put') arrive(state, event.object, out)
      else if (event.kind === 'declare') declare(state, event.sources ?? [], out)
    },
    rest: ({ arrived }) => ({ objects: arrived, missing: [], incomplete: arrived.length > 0 && arrived.length < k }),
  }

  function arrive(state: State, object: ObjectMeta, out: Outlet): void {
    const { arrived, sources } = state
    out.hold(object)
    arrived.push(object)
    if (arrived.length === k) {
      out.fire(arrived.slice(0, k))
      for (const source of sources) cancelLoser(state, source, out)
    } else if (arrived.length > k && object.source !== undefined && !sources.includes(object.source)) {
      sources.push(object.source)
      cancelLoser(state, object.source, out)
    }
    if (arrived.length < n) return
    state.arrived = []
    state.sources = []
    out.close(arrived)
  }

  function declare(state: State, sources: string[], out: Outlet): void {
    for (const source of sources) {
      if (state.sources.includes(source)) continue
      state.sources.push(source)
      if (state.arrived.length >= k) cancelLoser(state, source, out)
    }
  }

  function cancelLoser({ arrived }: State, source: string, out: Outlet): void {
    for (let i = 0; i < k; i++) if (arrived[i]?.source === source) return
    if (cancel) out.cancel(source)
  }
}
