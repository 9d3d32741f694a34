import { fingerprint } from '../fingerprint.js'
import type { Outlet, Rest } from './machine.js'
import type { Discarded, Firing, ObjectMeta, StepResult, TriggerSpec } from './types.js'

/** What the triggers of one scope remember. */
export interface ScopeState {
  /** By trigger; null in the other scope's place. */
  states: unknown[]
  /** Number of firings, by trigger. */
  fired: number[]
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer Item)[] ? Item[] : T[K] }

const none: never[] = /* @__PURE__ */ Object.freeze([]) as never[]

/** Gathers what the triggers say during one step. One serves all steps of a bucket, so that a put makes only its result. */
export class StepOutlet implements Outlet {
  nowMs = 0
  result: Mutable<StepResult> = emptyResult()
  /** Triggers that hold the object being put. */
  held = 0
  private closed: (readonly ObjectMeta[])[] = none
  private trigger = 0
  private scope = ''
  private state: ScopeState = { states: [], fired: [] }
  /** Of a firing's id, by trigger. */
  private readonly prefixes: string[]

  constructor(
    private readonly bucket: string,
    private readonly triggers: readonly { task: string; spec: TriggerSpec }[],
  ) {
    this.prefixes = triggers.map((_, i) => prefixOf(bucket, i))
  }

  begin(nowMs: number): void {
    this.nowMs = nowMs
    this.result = emptyResult()
    this.held = 0
  }

  /** Names who speaks next. */
  enter(trigger: number, scope: string, state: ScopeState): void {
    this.trigger = trigger
    this.scope = scope
    this.state = state
  }

  fire(objects: readonly ObjectMeta[], group?: string, ordinal?: number): void {
    const sessions = this.scope === '' ? sessionsOf(objects) : none
    this.add(this.triggers[this.trigger]?.task as string, objects, group, ordinal, sessions, false)
  }

  hold(_: ObjectMeta): void {
    this.held++
  }

  close(objects: readonly ObjectMeta[]): void {
    if (this.closed === none) this.closed = [objects]
    else this.closed.push(objects)
  }

  cancel(source: string): void {
    const cancelled = { trigger: this.trigger, session: this.scope, source }
    this.result.cancelled = added(this.result.cancelled, cancelled)
  }

  fail(error: unknown): void {
    this.result.failures = added(this.result.failures, { trigger: this.trigger, error })
  }

  /** What is incomplete when the session ends. */
  leave({ objects, missing }: Rest): void {
    const { trigger, scope, result } = this
    const spec = this.triggers[trigger]?.spec as TriggerSpec
    const task = 'onIncomplete' in spec ? spec.onIncomplete : undefined
    if (task !== undefined) this.add(task, objects, undefined, undefined, [scope], true)
    else result.discarded = added<Discarded>(result.discarded, { trigger, session: scope, objects, missing })
  }

  duplicate(): void {
    this.result.outcome = 'duplicate'
  }

  released(session: string, key: string, seq: number): void {
    this.result.released = added(this.result.released, { session, key, seq })
  }

  takeClosed(): (readonly ObjectMeta[])[] {
    const { closed } = this
    this.closed = none
    return closed
  }

  private add(
    task: string,
    objects: readonly ObjectMeta[],
    group: string | undefined,
    ownOrdinal: number | undefined,
    sessions: string[],
    incomplete: boolean,
  ): void {
    const { trigger, scope, state, bucket } = this
    const count = state.fired[trigger] as number
    state.fired[trigger] = count + 1
    const ordinal = ownOrdinal ?? count
    const id = idOf(this.prefixes[trigger] as string, scope, ordinal)
    const firing: Firing = { id, bucket, trigger, task, scope, ordinal, objects, group, sessions, incomplete }
    this.result.firings = added(this.result.firings, firing)
  }
}

function emptyResult(): Mutable<StepResult> {
  return {
    outcome: 'accepted',
    error: undefined,
    firings: none,
    released: none,
    cancelled: none,
    discarded: none,
    failures: none,
    ended: false,
    wakeMs: undefined,
  }
}

/** The list with one more; the shared empty list stays empty. */
function added<T>(list: T[], item: T): T[] {
  if (list === none) return [item]
  list.push(item)
  return list
}

function sessionsOf(objects: readonly ObjectMeta[]): string[] {
  return [...new Set(objects.map(({ session }) => session))]
}

function prefixOf(bucket: string, trigger: number): string {
  return `${bucket}\n${trigger}\n`
}

function idOf(prefix: string, scope: string, ordinal: number): string {
  return `${fingerprint(prefix + scope)}-${ordinal}`
}

/** Id of a firing (see `Firing`). */
export function firingId(bucket: string, trigger: number, scope: string, ordinal: number): string {
  return idOf(prefixOf(bucket, trigger), scope, ordinal)
}
