import type { Outlet, TriggerMachine } from './machine.js'
import { byOrdinal } from './put-id.js'
import { byCodeUnit, restoreTable, Table } from './table.js'
import type { BucketEvent, DynamicGroupSpec, ObjectMeta } from './types.js'

interface State {
  groups: Table<ObjectMeta[]>
  /** The declared sources; null before the declaration. */
  expected: string[] | null
  /** Declared sources that are not done. */
  missing: Table<1>
  /** Sources done in this generation, with their session. A source is an invocation, so its id says enough. */
  done: Table<string>
  /** Sources done in earlier generations: they stay closed until they are declared again or their session ends. */
  past: Table<string>
}

/**
 * Gathers objects by the group that their put names, and fires once for every group when all declared sources are done: the shuffle of
 * MapReduce (Pheromone, §3: DynamicGroup). Groups go by key; within a group by source, then by the ordinal of the put.
 */
export function dynamicGroupMachine({ scope }: DynamicGroupSpec): TriggerMachine<State> {
  return {
    scope,
    init: () => ({
      groups: new Table(),
      expected: null,
      missing: new Table(),
      done: new Table(),
      past: new Table(),
    }),
    refuses(state, event) {
      if (event.kind === 'put') return refusesPut(state, event.object)
      if (event.kind === 'declare' && event.sources !== undefined) return refusesSources(state, event.sources)
    },
    step(state, event, out) {
      switch (event.kind) {
        case 'put':
          gather(state, event.object, out)
          break
        case 'declare':
          declare(state, event, out)
          break
        case 'sourceDone':
          finish(state, event.session, event.source, out)
          break
        case 'sourceFailed':
          reopen(state, event.source)
          break
        case 'sessionEnd':
          if (scope === 'application') forget(state, event.session)
      }
    },
    rest(state) {
      const missing = (state.expected ?? []).filter((source) => state.missing.has(source))
      const objects = inOrder(state).flatMap(([, members]) => members)
      return { objects, missing, incomplete: objects.length > 0 || missing.length > 0 }
    },
    restore(state) {
      state.groups = restoreTable(state.groups)
      state.missing = restoreTable(state.missing)
      state.done = restoreTable(state.done)
      state.past = restoreTable(state.past)
    },
  }
}

function refusesPut({ done, past }: State, { source }: ObjectMeta) {
  if (source === undefined || (!done.has(source) && !past.has(source))) return
  const message = `source '${source}' is done, so it can add nothing to a group; put before it returns, and await the put`
  return { code: 'GROUP_CLOSED', message } as const
}

function refusesSources({ expected }: State, sources: string[]) {
  if (expected === null || sameNames(expected, sources)) return
  const message = `${expected.length} sources are declared already, and now others; declare all of them at once`
  return { code: 'JOIN_CONFLICT', message } as const
}

function gather(state: State, object: ObjectMeta, out: Outlet): void {
  const group = object.group ?? ''
  const members = state.groups.get(group)
  out.hold(object)
  if (members === undefined) state.groups.set(group, [object])
  else members.push(object)
}

function declare(state: State, event: BucketEvent & { kind: 'declare' }, out: Outlet): void {
  if (event.sources === undefined || state.expected !== null) return
  state.expected = [...new Set(event.sources)]
  for (const source of state.expected) {
    state.past.delete(source)
    if (!state.done.has(source)) state.missing.set(source, 1)
  }
  if (state.missing.size === 0) fire(state, out)
}

function finish(state: State, session: string, source: string, out: Outlet): void {
  if (state.past.has(source)) return
  state.done.set(source, session)
  if (state.missing.delete(source) && state.missing.size === 0) fire(state, out)
}

/** A failed source is not done: its next attempt may put. */
function reopen(state: State, source: string): void {
  state.past.delete(source)
  if (state.done.delete(source) && state.expected?.includes(source)) state.missing.set(source, 1)
}

/** The bucket itself refuses the puts of a session that has ended. What counts for the open generation stays. */
function forget({ past }: State, session: string): void {
  for (const [source, of] of past) if (of === session) past.delete(source)
}

function fire(state: State, out: Outlet): void {
  const { done } = state
  const groups = inOrder(state)
  state.groups = new Table()
  state.expected = null
  state.done = new Table()
  for (const [source, session] of done) state.past.set(source, session)
  for (const [group, objects] of groups) {
    out.fire(objects, group)
    out.close(objects)
  }
}

function inOrder({ groups }: State): [string, ObjectMeta[]][] {
  const bySource = (a: ObjectMeta, b: ObjectMeta) => byCodeUnit(a.source ?? '', b.source ?? '') || byOrdinal(a, b)
  return [...groups].sort(([a], [b]) => byCodeUnit(a, b)).map(([group, members]) => [group, members.sort(bySource)])
}

function sameNames(a: string[], b: string[]): boolean {
  const names = new Set(b)
  return names.size === a.length && a.every((name) => names.has(name))
}
