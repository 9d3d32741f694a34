import type { Outlet, TriggerMachine } from './machine.js'
import { restoreTable, Table } from './table.js'
import type { DynamicJoinSpec, ObjectMeta } from './types.js'

interface State {
  /** The declared keys; null before the declaration. */
  expected: string[] | null
  /** Declared keys that are not there. */
  missing: Table<1>
  seen: Table<ObjectMeta>
}

/**
 * Fires when all keys of a set that is declared at run time are there, in the declared order (Pheromone, §3: DynamicJoin). Objects may
 * come before the declaration. What is not in the set stays for the next one.
 */
export function dynamicJoinMachine(_: DynamicJoinSpec): TriggerMachine<State> {
  return {
    scope: 'session',
    init: () => ({ expected: null, missing: new Table(), seen: new Table() }),
    refuses({ expected }, event) {
      if (event.kind !== 'declare' || event.keys === undefined || expected === null) return
      const keys = distinct(event.keys)
      if (keys.length === expected.length && keys.every((key, i) => key === expected[i])) return
      const message = `keys are expected already: ${list(expected)}; now ${list(keys)}. Declare once, or the same keys in the same order`
      return { code: 'JOIN_CONFLICT', message }
    },
    step(state, event, out) {
      if (event.kind === 'put') {
        const { key } = event.object
        out.hold(event.object)
        state.seen.set(key, event.object)
        if (state.missing.delete(key) && state.missing.size === 0) fire(state, out)
      } else if (event.kind === 'declare' && event.keys !== undefined && state.expected === null) {
        state.expected = distinct(event.keys)
        for (const key of state.expected) if (!state.seen.has(key)) state.missing.set(key, 1)
        if (state.missing.size === 0) fire(state, out)
      }
    },
    rest({ expected, missing, seen }) {
      const wanted = new Set(expected)
      const here = [...wanted].filter((key) => seen.has(key))
      const others = [...seen.values()].filter(({ key }) => !wanted.has(key)).sort((a, b) => a.seq - b.seq)
      return {
        objects: [...here.map((key) => seen.get(key) as ObjectMeta), ...others],
        missing: [...wanted].filter((key) => missing.has(key)),
        incomplete: expected !== null || seen.size > 0,
      }
    },
    restore(state) {
      state.missing = restoreTable(state.missing)
      state.seen = restoreTable(state.seen)
    },
  }
}

function fire(state: State, out: Outlet): void {
  const { expected, seen } = state
  const objects = (expected ?? []).map((key) => seen.get(key) as ObjectMeta)
  for (const { key } of objects) seen.delete(key)
  state.expected = null
  out.fire(objects)
  out.close(objects)
}

function distinct(keys: string[]): string[] {
  return [...new Set(keys)]
}

function list(keys: string[]): string {
  const shown = keys.slice(0, 5).map((key) => `'${key}'`)
  return `${shown.join(', ') || 'none'}${keys.length > 5 ? ` and ${keys.length - 5} more` : ''}`
}
