import { type ErrorCode, FusionizeError } from '../errors.js'
import type { BucketState, LiveKey, SessionState } from './bucket-state.js'
import { closeSession, isClosed, noClosedSessions, restoreClosedSessions } from './closed-sessions.js'
import type { Trigger } from './custom.js'
import { addDeadline, type Deadline, takeDeadline } from './deadlines.js'
import type { TriggerMachine } from './machine.js'
import { machineOf, shapeOf } from './machine-of.js'
import { type ScopeState, StepOutlet } from './step-outlet.js'
import { restoreTable, Table } from './table.js'
import type { BucketEvent, ObjectMeta, StepResult } from './types.js'

/** What a bucket does with its objects: fires `task` when `spec` says so. */
export interface BucketTrigger {
  spec: Trigger
  task: string
}

export interface BucketMachineOptions {
  /** Runs custom triggers twice on every event, to find those that are not pure; for dev mode. @default false */
  checkPurity?: boolean
}

/** A bucket with its triggers, as a state machine: no clock, no chance, no I/O. */
export interface BucketMachine {
  /** Whether time matters: else no `time` event is needed and a put's `atMs` is not read. */
  readonly timed: boolean
  init(): BucketState
  /**
   * Takes one event. Changes `state` in place and keeps the object of a put, whose `seq` it sets.
   * A put costs the same however many objects and sessions there are, but for what it fires.
   */
  step(state: BucketState, event: BucketEvent): StepResult
  /**
   * Makes a state that came out of `JSON.parse` usable again, in place.
   * @throws {FusionizeError} `INVALID_CONFIG` when it belongs to other triggers
   */
  restore(saved: BucketState): BucketState
}

type Put = BucketEvent & { kind: 'put' }
type Declaration = BucketEvent & { kind: 'declare' }

/**
 * Makes the machine of a bucket (Pheromone, NSDI 2023, §3). Its triggers see the same events, in their order, and know nothing of
 * each other.
 * @param name lower-case letters, digits and dashes
 * @param triggers their places make the ids of firings: append new ones
 * @throws {FusionizeError} `INVALID_CONFIG` for a bad name, or a custom trigger without its code
 */
export function createBucketMachine(
  name: string,
  triggers: readonly BucketTrigger[],
  { checkPurity = false }: BucketMachineOptions = {},
): BucketMachine {
  if (!/^[a-z][a-z0-9-]*$/.test(name))
    throw new FusionizeError(
      'INVALID_CONFIG',
      `bucket name ${JSON.stringify(name)} is not valid: use lower-case letters, digits and dashes, a letter first`,
    )
  return new Machine(name, triggers, checkPurity)
}

class Machine implements BucketMachine {
  readonly timed: boolean
  private readonly machines: TriggerMachine<unknown>[]
  private readonly out: StepOutlet
  private readonly countsPerBucket: boolean
  private readonly refusing: boolean
  private readonly hearsSources: boolean

  constructor(
    private readonly name: string,
    private readonly triggers: readonly BucketTrigger[],
    checkPurity: boolean,
  ) {
    this.machines = triggers.map(({ spec }) => machineOf(spec, checkPurity))
    this.out = new StepOutlet(name, triggers)
    this.timed = this.machines.some((machine) => machine.dueMs !== undefined)
    this.countsPerBucket = this.machines.some((machine) => machine.scope === 'application')
    this.refusing = this.machines.some((machine) => machine.refuses !== undefined)
    this.hearsSources = this.hasTrigger('dynamicGroup', 'custom')
  }

  init(): BucketState {
    return {
      triggers: this.triggers.map(({ spec }) => shapeOf(spec)),
      seq: 0,
      nowMs: 0,
      application: this.scopeState('application'),
      sessions: new Table(),
      deadlines: [],
      closed: noClosedSessions(),
    }
  }

  step(state: BucketState, event: BucketEvent): StepResult {
    const { out } = this
    out.begin(state.nowMs)
    switch (event.kind) {
      case 'put':
        this.put(state, event)
        break
      case 'declare':
        this.declare(state, event)
        break
      case 'sourceDone':
      case 'sourceFailed':
        this.source(state, event)
        break
      case 'time':
        this.advance(state, event.nowMs)
        break
      case 'sessionEnd':
        this.end(state, event)
        break
      case 'flush':
        this.tellApplication(state, event)
    }
    this.release(state)
    if (this.timed) out.result.wakeMs = this.wakeMs(state)
    return out.result
  }

  restore(saved: BucketState): BucketState {
    const shapes = this.triggers.map(({ spec }) => shapeOf(spec))
    const changed = saved.triggers.findIndex((shape, i) => shape !== shapes[i])
    if (changed >= 0)
      throw new FusionizeError(
        'INVALID_CONFIG',
        `the saved state of bucket '${this.name}' has ${saved.triggers[changed]} as trigger ${changed}, not ${shapes[changed] ?? 'none'}; ` +
          'give the bucket a new name, or change triggers when it is empty',
      )
    saved.triggers = shapes
    saved.sessions = restoreTable(saved.sessions)
    restoreClosedSessions(saved.closed)
    this.restoreScope(saved.application, 'application')
    for (const session of saved.sessions.values()) {
      // A first trigger of application scope has been appended: its order goes on from the sessions' own.
      if (this.countsPerBucket) saved.seq = Math.max(saved.seq, session.seq)
      session.puts = restoreTable(session.puts)
      session.live = restoreTable(session.live)
      if (!session.ended) this.restoreScope(session, 'session')
    }
    return saved
  }

  private put(state: BucketState, event: Put): void {
    const { object, atMs } = event
    const { machines, out } = this
    if (this.timed) {
      this.advance(state, atMs)
      this.release(state)
    }
    const known = state.sessions.get(object.session)
    if (this.isOver(state, object.session, known)) return
    const session = known ?? this.newSession()
    const live = session.live.get(object.key)
    if (session.puts.has(object.putId) || live?.hash === object.hash) {
      session.puts.set(object.putId, 1)
      out.duplicate()
      return
    }
    if (live !== undefined) {
      this.refuseKey(object)
      return
    }
    if (this.refusing && this.refuses(state, session, event, object.session)) return

    if (known === undefined) state.sessions.set(object.session, session)
    session.puts.set(object.putId, 1)
    object.seq = this.countsPerBucket ? ++state.seq : ++session.seq
    const key: LiveKey = { hash: object.hash, seq: object.seq, holds: 0 }
    session.live.set(object.key, key)
    for (let i = 0; i < machines.length; i++) this.tell(state, session, object.session, i, event)
    if (out.held === 0) return
    key.holds = out.held
    session.held++
  }

  private declare(state: BucketState, event: Declaration): void {
    const known = state.sessions.get(event.session)
    if (this.isOver(state, event.session, known)) return
    const session = known ?? this.newSession()
    const id = `declare\n${event.id}`
    if (session.puts.has(id)) {
      this.out.duplicate()
      return
    }
    const unheard = this.unheard(event)
    if (unheard !== undefined) {
      this.refuse('INVALID_CONFIG', event.session, unheard)
      return
    }
    if (this.refuses(state, session, event, event.session)) return
    state.sessions.set(event.session, session)
    session.puts.set(id, 1)
    this.tellAll(state, session, event.session, event)
  }

  /** A declaration that no trigger waits for is a mistake in the application. */
  private unheard({ keys, sources }: Declaration): string | undefined {
    if (keys !== undefined && !this.hasTrigger('dynamicJoin', 'custom'))
      return 'no trigger waits for declared keys; add a dynamicJoin()'
    if (sources !== undefined && !this.hasTrigger('dynamicGroup', 'redundant', 'custom'))
      return 'no trigger waits for declared sources; add a dynamicGroup()'
    return undefined
  }

  private source(state: BucketState, event: BucketEvent & { session: string }): void {
    const known = state.sessions.get(event.session)
    if (!this.hearsSources || known?.ended || (known === undefined && isClosed(state.closed, event.session))) return
    const session = known ?? this.newSession()
    state.sessions.set(event.session, session)
    this.tellAll(state, session, event.session, event)
  }

  /** Tells the triggers that asked for it of the time: those of the application first, then sessions by when they are due. */
  private advance(state: BucketState, toMs: number): void {
    if (toMs > state.nowMs) state.nowMs = toMs
    const nowMs = state.nowMs
    this.out.nowMs = nowMs
    this.machines.forEach((machine, i) => {
      if (machine.scope !== 'application') return
      const dueMs = machine.dueMs?.(state.application.states[i]) ?? -1
      if (dueMs >= 0 && dueMs <= nowMs) this.tell(state, undefined, '', i, { kind: 'time', nowMs })
    })
    for (let next = this.nextDeadline(state); next && next[0] <= nowMs; next = this.nextDeadline(state)) {
      const [, id, i] = takeDeadline(state.deadlines) as Deadline
      this.tell(state, state.sessions.get(id), id, i, { kind: 'time', nowMs })
    }
  }

  /** Drops deadlines that no longer hold: their batch was full before, or their session is over. */
  private nextDeadline({ deadlines, sessions }: BucketState): Deadline | undefined {
    for (;;) {
      const next = deadlines[0]
      if (next === undefined) return undefined
      const [dueMs, id, i] = next
      const session = sessions.get(id)
      if (session && !session.ended && this.machines[i]?.dueMs?.(session.states[i]) === dueMs) return next
      takeDeadline(deadlines)
    }
  }

  private wakeMs(state: BucketState): number | undefined {
    let wakeMs = this.nextDeadline(state)?.[0] ?? -1
    this.machines.forEach((machine, i) => {
      if (machine.scope !== 'application') return
      const dueMs = machine.dueMs?.(state.application.states[i]) ?? -1
      if (dueMs >= 0 && (wakeMs < 0 || dueMs < wakeMs)) wakeMs = dueMs
    })
    return wakeMs < 0 ? undefined : wakeMs
  }

  private end(state: BucketState, event: BucketEvent & { kind: 'sessionEnd' }): void {
    const { machines, out } = this
    const id = event.session
    const session = state.sessions.get(id)
    if (session?.ended || isClosed(state.closed, id)) {
      out.result.ended = true
      return
    }
    if (session !== undefined) {
      machines.forEach((machine, i) => {
        if (machine.scope === 'session') this.tell(state, session, id, i, event)
      })
      const waits = machines.some((x, i) => x.scope === 'session' && (x.dueMs?.(session.states[i]) ?? -1) >= 0)
      if (waits || out.result.firings.length > 0) return
      if (!event.flushOnly) this.finish(state, session, id)
    }
    if (event.flushOnly) {
      out.result.ended = true
      return
    }
    closeSession(state.closed, id)
    this.tellApplication(state, event)
    out.result.ended = true
  }

  /** Closes all that the session's own triggers hold; what application-scope triggers hold lives on. */
  private finish(state: BucketState, session: SessionState, id: string): void {
    const { machines, out } = this
    for (let i = 0; i < machines.length; i++) {
      const machine = machines[i] as TriggerMachine<unknown>
      if (machine.scope !== 'session' || machine.rest === undefined) continue
      const rest = machine.rest(session.states[i])
      out.enter(i, id, session)
      out.close(rest.objects)
      if (rest.incomplete) out.leave(rest)
    }
    this.release(state)
    for (const [key, { seq, holds }] of session.live) {
      if (holds > 0) continue
      session.live.delete(key)
      out.released(id, key, seq)
    }
    if (session.held === 0) {
      state.sessions.delete(id)
      return
    }
    session.ended = true
    session.states = []
    session.fired = []
    session.puts = new Table()
  }

  private tellAll(state: BucketState, session: SessionState, id: string, event: BucketEvent): void {
    for (let i = 0; i < this.machines.length; i++) this.tell(state, session, id, i, event)
  }

  private tellApplication(state: BucketState, event: BucketEvent): void {
    this.machines.forEach((machine, i) => {
      if (machine.scope === 'application') this.tell(state, undefined, '', i, event)
    })
  }

  private tell(state: BucketState, session: SessionState | undefined, id: string, i: number, event: BucketEvent): void {
    const machine = this.machines[i] as TriggerMachine<unknown>
    if (machine.scope === 'application') {
      this.out.enter(i, '', state.application)
      machine.step(state.application.states[i], event, this.out)
    } else if (session !== undefined) {
      const own = session.states[i]
      const before = machine.dueMs?.(own) ?? -1
      this.out.enter(i, id, session)
      machine.step(own, event, this.out)
      const after = machine.dueMs?.(own) ?? -1
      if (after >= 0 && after !== before) addDeadline(state.deadlines, [after, id, i])
    }
  }

  /** Lets go of what triggers have closed; after all of them have seen the event, so that none is too late to hold it. */
  private release(state: BucketState): void {
    const { out } = this
    for (const objects of out.takeClosed())
      for (const { session: id, key } of objects) {
        const session = state.sessions.get(id) as SessionState
        const live = session.live.get(key) as LiveKey
        if (--live.holds > 0) continue
        session.live.delete(key)
        out.released(id, key, live.seq)
        if (--session.held === 0 && session.ended) state.sessions.delete(id)
      }
  }

  private isOver(state: BucketState, id: string, session: SessionState | undefined): boolean {
    if (session === undefined ? !isClosed(state.closed, id) : !session.ended) return false
    this.refuse('SESSION_CLOSED', id, 'the session has ended; await every put before the task returns')
    return true
  }

  private refuses(state: BucketState, session: SessionState, event: BucketEvent, id: string): boolean {
    for (let i = 0; i < this.machines.length; i++) {
      const machine = this.machines[i] as TriggerMachine<unknown>
      const scope = machine.scope === 'application' ? state.application : session
      const refusal = machine.refuses?.(scope.states[i], event)
      if (refusal === undefined) continue
      this.refuse(refusal.code, id, refusal.message)
      return true
    }
    return false
  }

  private refuseKey({ session, key }: ObjectMeta): void {
    const message = `key '${key}' has another value already; put it under a key of its own`
    this.refuse('KEY_CONFLICT', session, message, { key })
  }

  private refuse(code: ErrorCode, session: string, message: string, details?: Record<string, unknown>): void {
    const { result } = this.out
    result.outcome = 'refused'
    result.error = new FusionizeError(code, `bucket '${this.name}', session '${session}': ${message}`, {
      bucket: this.name,
      session,
      ...details,
    })
  }

  private hasTrigger(...kinds: Trigger['kind'][]): boolean {
    return this.triggers.some(({ spec }) => kinds.includes(spec.kind))
  }

  /** Spelled out: spreading `scopeState` costs over a microsecond. */
  private newSession(): SessionState {
    const { states, fired } = this.scopeState('session')
    return { states, fired, seq: 0, puts: new Table(), live: new Table(), held: 0, ended: false }
  }

  private scopeState(scope: 'session' | 'application'): ScopeState {
    const states: unknown[] = []
    const fired: number[] = []
    for (const machine of this.machines) {
      states.push(machine.scope === scope ? machine.init() : null)
      fired.push(0)
    }
    return { states, fired }
  }

  /** Triggers that were appended since get a first state. */
  private restoreScope(saved: ScopeState, scope: 'session' | 'application'): void {
    this.machines.forEach((machine, i) => {
      if (i >= saved.states.length) {
        saved.states.push(machine.scope === scope ? machine.init() : null)
        saved.fired.push(0)
      } else if (machine.scope === scope) machine.restore?.(saved.states[i])
    })
  }
}
