import { FusionizeError } from '../errors.js'
import type { Json } from '../types.js'
import type { Outlet, TriggerMachine } from './machine.js'
import { restoreTable, Table } from './table.js'
import type { BucketEvent, CustomSpec, ObjectMeta, TriggerSpec } from './types.js'

/** What a custom trigger does about an event. */
export interface CustomResult<S extends Json = Json> {
  /** The state before the next event; JSON. */
  state: S
  /** Firings, in order. Their objects are closed unless `keep` says that they may be delivered again. */
  fire?: { objects: readonly ObjectMeta[]; group?: string; keep?: boolean }[]
  /** Objects that it will not deliver: their keys may be put again. */
  close?: readonly ObjectMeta[]
  /** Epoch ms at which it wants a `time` event; absent for never. Not after `nowMs` means one ms after it. */
  wakeMs?: number
}

/**
 * The code of a custom trigger: a pure function that does not change what it is given. It sees the puts of its scope, declarations,
 * ends and failures of sources, the `time` that it asked for, the end of its session, and `flush`.
 */
export type CustomStep<S extends Json = Json> = (state: S, event: BucketEvent, nowMs: number) => CustomResult<S>

/** A custom trigger with its code. */
export interface CustomTrigger extends CustomSpec {
  readonly step: CustomStep
}

/** What the constructors make: a spec and, for custom triggers, its code. */
export type Trigger = Exclude<TriggerSpec, CustomSpec> | CustomTrigger

interface State {
  user: Json
  dueMs: number
  /** Objects that it may still deliver, by session and key. */
  open: Table<ObjectMeta>
}

/**
 * Fires as the user's reducer says. An object is live until the reducer fires it without `keep` or closes it.
 * @param checkPurity runs every step twice, on copies, and fails when results differ or the state was changed in place
 */
export function customMachine(trigger: CustomTrigger, checkPurity: boolean): TriggerMachine<State> {
  const { scope, initial } = trigger
  const run = checkPurity ? twice(trigger) : trigger.step
  return {
    scope,
    init: () => ({ user: copy(initial), dueMs: -1, open: new Table() }),
    step(state, event, out) {
      if (event.kind === 'put') {
        out.hold(event.object)
        state.open.set(openKey(event.object), event.object)
      }
      let result: CustomResult
      try {
        result = run(state.user, event, out.nowMs)
      } catch (error) {
        if (event.kind === 'time') state.dueMs = -1
        out.fail(error)
        return
      }
      state.user = result.state
      state.dueMs = result.wakeMs === undefined ? -1 : Math.max(result.wakeMs, out.nowMs + 1)
      for (const { objects, group, keep } of result.fire ?? []) {
        out.fire(objects, group)
        if (!keep) close(state, objects, out)
      }
      close(state, result.close ?? [], out)
    },
    dueMs: (state) => state.dueMs,
    rest({ open }) {
      const objects = [...open.values()].sort((a, b) => a.seq - b.seq)
      return { objects, missing: [], incomplete: objects.length > 0 }
    },
    restore(state) {
      state.open = restoreTable(state.open)
    },
  }
}

function close(state: State, objects: readonly ObjectMeta[], out: Outlet): void {
  const closed: ObjectMeta[] = []
  for (const object of objects) if (state.open.delete(openKey(object))) closed.push(object)
  out.close(closed)
}

function openKey({ session, key }: ObjectMeta): string {
  return `${session}\n${key}`
}

function twice({ name, step }: CustomTrigger): CustomStep {
  return (state, event, nowMs) => {
    const before = JSON.stringify(state)
    const again = copy(event)
    const result = step(state, event, nowMs)
    if (JSON.stringify(state) !== before)
      throw new FusionizeError(
        'INVALID_CONFIG',
        `custom trigger '${name}' changed its state in place; return a new one`,
      )
    if (JSON.stringify(step(JSON.parse(before), again, nowMs)) !== JSON.stringify(result))
      throw new FusionizeError(
        'INVALID_CONFIG',
        `custom trigger '${name}' gave two results for the same state and event; use nothing but its arguments`,
      )
    return result
  }
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}
