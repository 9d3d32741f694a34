import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BucketTrigger, createBucketMachine } from './bucket-machine.js'
import {
  byBatchSize,
  byName,
  bySet,
  byTime,
  custom,
  dynamicGroup,
  dynamicJoin,
  immediate,
  redundant,
} from './constructors.js'
import type { BucketEvent, Firing, ObjectMeta, StepResult, TriggerSpec } from './types.js'

const seed = Number(process.env.SEED ?? 20_261)
const runs = { seed, numRuns: Number(process.env.RUNS ?? 300) }

/** Fires with all it has when that is five bytes or more. */
const fiveBytes = (scope: 'session' | 'application') =>
  custom('five-bytes', {
    scope,
    initial: [] as string[],
    step: (state, event) => {
      if (event.kind !== 'put') return { state }
      const objects = [...state.map((text) => JSON.parse(text) as ObjectMeta), event.object]
      if (objects.reduce((sum, { bytes }) => sum + bytes, 0) < 5)
        return { state: objects.map((object) => JSON.stringify(object)) }
      return { state: [], fire: [{ objects }] }
    },
  })

const specs: BucketTrigger['spec'][] = [
  immediate(),
  byName('a'),
  bySet(['b', 'a']),
  bySet(['c', 'a', 'b'], { onIncomplete: 'rest' }),
  byBatchSize(1),
  byBatchSize(3),
  byBatchSize(3, { maxWaitMs: 7, flush: true }),
  byBatchSize(2, { scope: 'session', onIncomplete: 'rest' }),
  byBatchSize(3, { scope: 'session', maxWaitMs: 9 }),
  byBatchSize(3, { scope: 'session', maxWaitMs: 5, flush: true }),
  byTime(10),
  byTime(4, { empty: true }),
  redundant(2, 3),
  redundant(2, 2, { onIncomplete: 'rest' }),
  dynamicJoin(),
  dynamicJoin({ onIncomplete: 'rest' }),
  dynamicGroup(),
  dynamicGroup({ scope: 'application' }),
  fiveBytes('session'),
  fiveBytes('application'),
]

type Command =
  | { kind: 'put'; session: string; key: string; value: number; source: string | undefined; group: string | undefined }
  | { kind: 'again'; index: number }
  | { kind: 'declare'; session: string; keys?: string[]; sources?: string[] }
  | { kind: 'sourceDone' | 'sourceFailed'; session: string; source: string }
  | { kind: 'time' }
  | { kind: 'flush' }
  | { kind: 'sessionEnd'; session: string }

const sessions = fc.constantFrom('s1', 's2', 'constructor')
const sources = fc.constantFrom('x', 'y', 'z')
const keys = fc.constantFrom('a', 'b', 'c', '__proto__')
const optional = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined, freq: 3 })

const commands: fc.Arbitrary<{ command: Command; afterMs: number; restart: boolean }> = fc.record({
  command: fc.oneof(
    {
      weight: 9,
      arbitrary: fc.record({
        kind: fc.constant('put' as const),
        session: sessions,
        key: keys,
        value: fc.nat(1),
        source: optional(sources),
        group: optional(fc.constantFrom('h', 'g')),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('again' as const), index: fc.nat(50) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('declare' as const),
        session: sessions,
        keys: fc.uniqueArray(keys, { maxLength: 3 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('declare' as const),
        session: sessions,
        sources: fc.uniqueArray(sources, { maxLength: 2 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('sourceDone' as const), session: sessions, source: sources }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('sourceFailed' as const), session: sessions, source: sources }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('time' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('sessionEnd' as const), session: sessions }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  ),
  afterMs: fc.integer({ min: -2, max: 6 }),
  restart: fc.boolean(),
})

const scenarios = fc.record({
  triggers: fc
    .array(fc.constantFrom(...specs), { minLength: 1, maxLength: 3 })
    .map((some) => some.map((spec, i) => ({ spec, task: `task-${i}` }))),
  steps: fc.array(commands, { maxLength: 60, size: 'max' }),
})

/** Commands as events: times, ids of their own for new puts, and sources as invocations of their session. */
function eventsOf(steps: { command: Command; afterMs: number }[]): BucketEvent[] {
  const events: BucketEvent[] = []
  let nowMs = 100
  steps.forEach(({ command, afterMs }, i) => {
    nowMs += afterMs
    if (command.kind === 'put') {
      const { session, key, value, group } = command
      const source = command.source && `${session}/${command.source}`
      const object = { key, seq: 0, putId: `${source ?? 'run'}#${i}`, session, hash: `hash-${value}`, bytes: 1 + value }
      events.push({ kind: 'put', object: { ...object, source, group }, atMs: nowMs })
    } else if (command.kind === 'again') {
      const earlier = events.filter((event) => event.kind === 'put' || event.kind === 'declare')
      const event = earlier[command.index % earlier.length]
      if (event?.kind === 'put') events.push({ ...event, atMs: nowMs })
      else if (event) events.push(event)
    } else if (command.kind === 'declare') {
      const { session } = command
      const own = command.sources?.map((source) => `${session}/${source}`)
      events.push({ kind: 'declare', session, id: `declare#${i}`, keys: command.keys, sources: own })
    } else if (command.kind === 'sourceDone' || command.kind === 'sourceFailed')
      events.push({ ...command, source: `${command.session}/${command.source}` })
    else if (command.kind === 'time') events.push({ kind: 'time', nowMs })
    else events.push(command)
  })
  return structuredClone(events)
}

function play(triggers: BucketTrigger[], events: BucketEvent[], restartAt: (i: number) => boolean): StepResult[] {
  let machine = createBucketMachine('frames', triggers, { checkPurity: true })
  let state = machine.init()
  return structuredClone(events).map((event, i) => {
    if (restartAt(i)) {
      machine = createBucketMachine('frames', triggers, { checkPurity: true })
      state = machine.restore(JSON.parse(JSON.stringify(state)))
    }
    return structuredClone({ ...machine.step(state, event), error: undefined, code: undefined }) as StepResult
  })
}

test(`every event does what the model says, over restarts (SEED=${seed})`, () => {
  fc.assert(
    fc.property(scenarios, ({ triggers, steps }) => {
      const events = eventsOf(steps)
      let machine = createBucketMachine('frames', triggers, { checkPurity: true })
      let state = machine.init()
      const model = new Model(triggers)
      const names = new Map<string, string>()
      events.forEach((event, i) => {
        if (steps[i]?.restart) {
          machine = createBucketMachine('frames', triggers, { checkPurity: true })
          state = machine.restore(JSON.parse(JSON.stringify(state)))
        }
        const result = machine.step(state, structuredClone(event))
        expect(observed(result)).toEqual(model.take(event))
        for (const { id, trigger, scope, ordinal } of result.firings) {
          expect(names.has(id)).toBe(false)
          names.set(id, `${trigger} ${scope} ${ordinal}`)
        }
      })
      expect(new Set(names.values()).size).toBe(names.size)
    }),
    runs,
  )
})

test(`the same events give the same results, ids included, wherever a restart falls (SEED=${seed})`, () => {
  fc.assert(
    fc.property(scenarios, fc.nat(60), ({ triggers, steps }, restart) => {
      const events = eventsOf(steps)
      expect(play(triggers, events, (i) => i === restart)).toEqual(play(triggers, events, () => false))
    }),
    { ...runs, numRuns: 300 },
  )
})

test(`every accepted object is in exactly one batch and one window once both are closed (SEED=${seed})`, () => {
  const triggers = [
    { spec: byBatchSize(3, { flush: true }), task: 'batch' },
    { spec: byTime(10), task: 'window' },
  ]
  fc.assert(
    fc.property(fc.array(commands, { maxLength: 60, size: 'max' }), (steps) => {
      const events: BucketEvent[] = [...eventsOf(steps), { kind: 'flush' }, { kind: 'time', nowMs: 1_000_000 }]
      const results = play(triggers, events, (i) => steps[i]?.restart ?? false)
      const accepted = events.filter((event, i) => event.kind === 'put' && results[i]?.outcome === 'accepted')
      const putIds = accepted.map((event) => event.kind === 'put' && event.object.putId).sort()
      for (const trigger of [0, 1]) {
        const firings = results.flatMap((result) => result.firings).filter((firing) => firing.trigger === trigger)
        expect(firings.flatMap(({ objects }) => objects.map(({ putId }) => putId)).sort()).toEqual(putIds)
        const order = firings.flatMap(({ objects }) => objects.map(({ seq }) => seq))
        expect(order).toEqual([...order].sort((a, b) => a - b))
      }
    }),
    { ...runs, numRuns: 300 },
  )
})

test(`a bucket whose sessions have ended and whose queues are empty remembers only that they ended (SEED=${seed})`, () => {
  fc.assert(
    fc.property(scenarios, ({ triggers, steps }) => {
      const machine = createBucketMachine('frames', triggers)
      const state = machine.init()
      for (const event of eventsOf(steps)) machine.step(state, event)
      let nowMs = 10_000
      const pass = () => {
        nowMs += 1_000
        machine.step(state, { kind: 'time', nowMs })
      }
      for (const session of ['s1', 's2', 'constructor'])
        while (!machine.step(state, { kind: 'sessionEnd', session }).ended) pass()
      pass()
      const kept = [...state.sessions.values()]
      const stillQueued = JSON.stringify(state.application)
      for (const session of kept) {
        expect(session.ended).toBe(true)
        for (const key of session.live.keys()) expect(stillQueued).toContain(JSON.stringify(key))
        expect([session.puts.size, session.states.length]).toEqual([0, 0])
      }
      expect(state.deadlines).toEqual([])
    }),
    { ...runs, numRuns: 300 },
  )
})

/** A result as the model gives it. Order counts within a trigger and scope. */
function observed(result: StepResult): Seen {
  return {
    outcome: result.error?.code ?? result.outcome,
    firings: inScopes(result.firings.map(({ id: _, bucket: __, ...rest }) => rest)),
    released: result.released.map((object) => nameOf(object)).sort(),
    discarded: result.discarded.map((x) => ({ ...x, missing: [...x.missing].sort() })) as Seen['discarded'],
    ended: result.ended,
    failures: result.failures.length,
  }
}

type Fired = Omit<Firing, 'id' | 'bucket'>

interface Seen {
  outcome: string
  firings: Fired[]
  released: string[]
  discarded: { trigger: number; session: string; objects: readonly ObjectMeta[]; missing: string[] }[]
  ended: boolean
  failures: number
}

function inScopes(firings: Fired[]): Fired[] {
  const place = ({ trigger, scope }: Fired) => `${trigger} ${scope}`
  return [...firings].sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0))
}

/** What has really happened: duplicates and refusals are not in it. Every event that carries a time is a tick too. */
type Fact =
  | { is: 'put'; session: string; object: ObjectMeta; nowMs: number }
  | { is: 'tick'; session?: undefined; nowMs: number }
  | { is: 'declare'; session: string; keys: string[] | undefined; sources: string[] | undefined }
  | { is: 'done' | 'failed'; session: string; source: string }
  | { is: 'asked' | 'ended'; session: string }
  | { is: 'flush'; session?: undefined }

/** One trigger in one scope, computed anew from all facts. */
interface History {
  fired: { objects: ObjectMeta[]; group?: string; ordinal?: number }[]
  /** Objects that it took, and those that it has not let go. */
  took: ObjectMeta[]
  open: ObjectMeta[]
  /** What the end of the session would leave. */
  rest: { objects: ObjectMeta[]; missing: string[] } | undefined
  waits: boolean
  expected?: string[]
  closedSources?: Set<string>
}

/** The obviously right bucket: it keeps all facts and derives everything from all of them, every time. */
class Model {
  private facts: Fact[] = []
  private putIds = new Set<string>()
  private nowMs = 0
  constructor(private readonly triggers: BucketTrigger[]) {}

  take(event: BucketEvent): Seen {
    const before = this.all()
    const alive = this.live(this.facts)
    if ((event.kind === 'put' || event.kind === 'time') && this.isTimed()) {
      this.nowMs = Math.max(this.nowMs, event.kind === 'put' ? event.atMs : event.nowMs)
      this.facts.push({ is: 'tick', nowMs: this.nowMs })
    }
    const seen: Seen = { outcome: 'accepted', firings: [], released: [], discarded: [], ended: false, failures: 0 }
    if (event.kind === 'put') seen.outcome = this.put(event.object)
    if (event.kind === 'declare') seen.outcome = this.declare(event)
    if ((event.kind === 'sourceDone' || event.kind === 'sourceFailed') && !this.isOver(event.session)) {
      const is = event.kind === 'sourceDone' ? 'done' : 'failed'
      this.facts.push({ is, session: event.session, source: event.source })
    }
    if (event.kind === 'flush') this.facts.push({ is: 'flush' })
    const incomplete = event.kind === 'sessionEnd' ? this.end(event.session, seen) : []
    const after = this.all()
    seen.firings = inScopes([...news(before, after), ...incomplete])
    const aliveNow = this.live(this.facts)
    const justPut = event.kind === 'put' && seen.outcome === 'accepted' ? this.puts().slice(-1).map(nameOf) : []
    seen.released = [...alive, ...justPut].filter((name) => !aliveNow.includes(name)).sort()
    return seen
  }

  private put(object: ObjectMeta): string {
    const { session, key, putId, hash } = object
    if (this.isOver(session)) return 'SESSION_CLOSED'
    if (this.putIds.has(`${session} ${putId}`)) return 'duplicate'
    const old = this.puts().findLast((other) => other.session === session && other.key === key)
    if (old && this.live(this.facts).includes(nameOf(old))) {
      if (old.hash !== hash) return 'KEY_CONFLICT'
      this.putIds.add(`${session} ${putId}`)
      return 'duplicate'
    }
    const histories = this.triggers.map(({ spec }) => history(spec, this.factsFor(spec, session)))
    if (object.source && histories.some((x) => x.closedSources?.has(object.source as string))) return 'GROUP_CLOSED'
    this.putIds.add(`${session} ${putId}`)
    const perBucket = this.triggers.some(({ spec }) => isApplication(spec))
    const seq = 1 + this.puts().filter((other) => perBucket || other.session === session).length
    this.facts.push({ is: 'put', session, object: { ...object, seq }, nowMs: this.nowMs })
    return 'accepted'
  }

  private declare({ session, id, keys, sources }: BucketEvent & { kind: 'declare' }): string {
    if (this.isOver(session)) return 'SESSION_CLOSED'
    if (this.putIds.has(`${session} declare ${id}`)) return 'duplicate'
    const has = (...kinds: string[]) => this.triggers.some(({ spec }) => kinds.includes(spec.kind))
    if (keys && !has('dynamicJoin', 'custom')) return 'INVALID_CONFIG'
    if (sources && !has('dynamicGroup', 'redundant', 'custom')) return 'INVALID_CONFIG'
    for (const { spec } of this.triggers) {
      const { expected } = history(spec, this.factsFor(spec, session))
      if (spec.kind === 'dynamicJoin' && keys && expected && expected.join() !== keys.join()) return 'JOIN_CONFLICT'
      if (
        spec.kind === 'dynamicGroup' &&
        sources &&
        expected &&
        [...expected].sort().join() !== [...sources].sort().join()
      )
        return 'JOIN_CONFLICT'
    }
    this.putIds.add(`${session} declare ${id}`)
    this.facts.push({ is: 'declare', session, keys, sources })
    return 'accepted'
  }

  private end(session: string, seen: Seen): Fired[] {
    seen.ended = true
    if (this.isOver(session)) return []
    const before = this.all()
    this.facts.push({ is: 'asked', session })
    const own = this.triggers.map(({ spec }) =>
      isApplication(spec) ? undefined : history(spec, this.factsFor(spec, session)),
    )
    if (news(before, this.all()).length > 0 || own.some((x) => x?.waits)) {
      seen.ended = false
      return []
    }
    this.facts.push({ is: 'ended', session })
    return own.flatMap((x, trigger): Fired[] => {
      if (x?.rest === undefined) return []
      const { spec } = this.triggers[trigger] as BucketTrigger
      const task = 'onIncomplete' in spec ? spec.onIncomplete : undefined
      const { objects, missing } = x.rest
      if (task !== undefined)
        return [
          {
            trigger,
            task,
            scope: session,
            ordinal: x.fired.length,
            objects,
            group: undefined,
            sessions: [session],
            incomplete: true,
          },
        ]
      seen.discarded.push({ trigger, session, objects, missing: [...missing].sort() })
      return []
    })
  }

  private all(): Fired[] {
    return this.triggers.flatMap(({ spec, task }, trigger) =>
      this.scopes(spec).flatMap((scope) =>
        history(spec, this.factsFor(spec, scope)).fired.map(({ objects, group, ordinal }, i): Fired => {
          const contributors = scope === '' ? [...new Set(objects.map((object) => object.session))] : []
          return {
            trigger,
            task,
            scope,
            ordinal: ordinal ?? i,
            objects,
            group,
            sessions: contributors,
            incomplete: false,
          }
        }),
      ),
    )
  }

  private live(facts: Fact[]): string[] {
    const histories = this.triggers.flatMap(({ spec }) =>
      this.scopes(spec).map((scope) => {
        const { took, open } = history(spec, this.factsFor(spec, scope))
        return { took, open: scope !== '' && this.isOver(scope) ? [] : open }
      }),
    )
    const has = (list: ObjectMeta[], { putId, session }: ObjectMeta) =>
      list.some((x) => x.putId === putId && x.session === session)
    return facts.flatMap((fact) => {
      if (fact.is !== 'put') return []
      const isTaken = histories.some(({ took }) => has(took, fact.object))
      const isOpen = histories.some(({ open }) => has(open, fact.object))
      return (isTaken ? isOpen : !this.isOver(fact.session)) ? [nameOf(fact.object)] : []
    })
  }

  private puts(): ObjectMeta[] {
    return this.facts.flatMap((fact) => (fact.is === 'put' ? [fact.object] : []))
  }

  private isOver(session: string): boolean {
    return this.facts.some((fact) => fact.is === 'ended' && fact.session === session)
  }

  private isTimed(): boolean {
    return this.triggers.some(
      ({ spec }) => spec.kind === 'byTime' || spec.kind === 'custom' || (spec.kind === 'byBatchSize' && spec.maxWaitMs),
    )
  }

  private scopes(spec: TriggerSpec): string[] {
    if (isApplication(spec)) return ['']
    return [...new Set(this.facts.flatMap((fact) => (fact.session === undefined ? [] : [fact.session])))]
  }

  private factsFor(spec: TriggerSpec, session: string): Fact[] {
    return this.facts.filter((fact) => isApplication(spec) || fact.session === undefined || fact.session === session)
  }
}

function nameOf({ session, key, seq }: { session: string; key: string; seq: number }): string {
  return `${session} ${key} ${seq}`
}

function news(before: Fired[], after: Fired[]): Fired[] {
  const known = new Set(before.map(({ trigger, scope, ordinal }) => `${trigger} ${scope} ${ordinal}`))
  return after.filter(({ trigger, scope, ordinal }) => !known.has(`${trigger} ${scope} ${ordinal}`))
}

function isApplication(spec: TriggerSpec): boolean {
  return spec.kind === 'byTime' || ('scope' in spec && spec.scope === 'application')
}

function history(spec: TriggerSpec, facts: Fact[]): History {
  const puts = facts.flatMap((fact) => (fact.is === 'put' ? [fact.object] : []))
  switch (spec.kind) {
    case 'immediate':
      return ungathered(puts)
    case 'byName':
      return ungathered(puts.filter(({ key }) => key === spec.key))
    case 'bySet': {
      const chosen = puts.filter(({ key }) => spec.keys.includes(key))
      return gathered(
        chosen,
        facts,
        (pool) => (pool.length === spec.keys.length ? inOrder(spec.keys, pool) : undefined),
        (pool) => ({
          objects: inOrder(spec.keys, pool),
          missing: spec.keys.filter((key) => !pool.some((object) => object.key === key)),
        }),
      )
    }
    case 'custom': {
      const enough = (pool: ObjectMeta[]) => pool.reduce((sum, { bytes }) => sum + bytes, 0) >= 5
      return gathered(puts, facts, (pool) => (enough(pool) ? pool : undefined))
    }
    case 'byBatchSize':
      return batches(spec, facts)
    case 'byTime':
      return windows(spec.ms, spec.empty ?? false, facts)
    case 'redundant': {
      const open = puts.slice(puts.length - (puts.length % spec.n))
      const fired = puts.flatMap((_, i) => {
        const start = i - (i % spec.n)
        return i - start === spec.k - 1 ? [{ objects: puts.slice(start, i + 1) }] : []
      })
      const isShort = open.length > 0 && open.length < spec.k
      return { fired, took: puts, open, rest: isShort ? { objects: open, missing: [] } : undefined, waits: false }
    }
    case 'dynamicJoin':
      return joins(puts, facts)
    case 'dynamicGroup':
      return groups(puts, facts)
  }
}

function ungathered(objects: ObjectMeta[]): History {
  return { fired: objects.map((object) => ({ objects: [object] })), took: [], open: [], rest: undefined, waits: false }
}

/** Cuts objects into firings: after each, `complete` says what goes out of those not yet delivered. */
function gathered(
  objects: ObjectMeta[],
  _: Fact[],
  complete: (pool: ObjectMeta[]) => ObjectMeta[] | undefined,
  restOf = (pool: ObjectMeta[]) => ({ objects: pool, missing: [] as string[] }),
): History {
  const fired: History['fired'] = []
  let pool: ObjectMeta[] = []
  for (const object of objects) {
    pool = [...pool, object]
    const out = complete(pool)
    if (out) {
      fired.push({ objects: out })
      pool = []
    }
  }
  return { fired, took: objects, open: pool, rest: pool.length > 0 ? restOf(pool) : undefined, waits: false }
}

function inOrder(keys: string[], pool: ObjectMeta[]): ObjectMeta[] {
  return keys.flatMap((key) => pool.filter((object) => object.key === key))
}

function batches(spec: TriggerSpec & { kind: 'byBatchSize' }, facts: Fact[]): History {
  const fired: History['fired'] = []
  const took: ObjectMeta[] = []
  let pool: { object: ObjectMeta; nowMs: number }[] = []
  const fire = () => {
    if (pool.length > 0) fired.push({ objects: pool.map(({ object }) => object) })
    pool = []
  }
  for (const fact of facts) {
    const oldest = pool[0]
    if (fact.is === 'tick' && oldest && spec.maxWaitMs && oldest.nowMs + spec.maxWaitMs <= fact.nowMs) fire()
    if (fact.is === (spec.scope === 'session' ? 'asked' : 'flush') && spec.flush) fire()
    if (fact.is !== 'put') continue
    took.push(fact.object)
    pool.push(fact)
    if (pool.length === spec.n) fire()
  }
  const open = pool.map(({ object }) => object)
  const rest = open.length > 0 ? { objects: open, missing: [] } : undefined
  return { fired, took, open, rest, waits: open.length > 0 && spec.maxWaitMs !== undefined }
}

function windows(ms: number, empty: boolean, facts: Fact[]): History {
  const of = (nowMs: number) => Math.floor(nowMs / ms)
  const ticks = facts.flatMap((fact) => (fact.is === 'tick' ? [of(fact.nowMs)] : []))
  const puts = facts.flatMap((fact) => (fact.is === 'put' ? [{ object: fact.object, window: of(fact.nowMs) }] : []))
  const [first = 0, now = 0] = [ticks[0], ticks.at(-1)]
  const fired: History['fired'] = []
  for (let window = first; window < now; window++) {
    const objects = puts.filter((put) => put.window === window).map(({ object }) => object)
    if (empty || objects.length > 0) fired.push({ objects, ordinal: window })
  }
  const open = puts.filter((put) => put.window === now).map(({ object }) => object)
  return { fired, took: puts.map(({ object }) => object), open, rest: undefined, waits: false }
}

function joins(puts: ObjectMeta[], facts: Fact[]): History {
  const fired: History['fired'] = []
  let pool: ObjectMeta[] = []
  let expected: string[] | undefined
  for (const fact of facts) {
    if (fact.is === 'put') pool.push(fact.object)
    if (fact.is === 'declare') expected ??= fact.keys
    if (!expected?.every((key) => pool.some((object) => object.key === key))) continue
    const objects = inOrder(expected, pool)
    fired.push({ objects })
    pool = pool.filter((object) => !objects.includes(object))
    expected = undefined
  }
  const wanted = inOrder(expected ?? [], pool)
  const objects = [...wanted, ...pool.filter((object) => !wanted.includes(object))]
  const missing = (expected ?? []).filter((key) => !pool.some((object) => object.key === key))
  const rest = objects.length + missing.length > 0 ? { objects, missing } : undefined
  return { fired, took: puts, open: pool, rest, waits: false, expected }
}

function groups(puts: ObjectMeta[], facts: Fact[]): History {
  const fired: History['fired'] = []
  let pool: ObjectMeta[] = []
  let expected: string[] | undefined
  let done = new Set<string>()
  let past = new Set<string>()
  for (const fact of facts) {
    if (fact.is === 'put') pool.push(fact.object)
    if (fact.is === 'done' && !past.has(fact.source)) done.add(fact.source)
    if (fact.is === 'failed') for (const set of [done, past]) set.delete(fact.source)
    if (fact.is === 'declare' && fact.sources && !expected) {
      expected = fact.sources
      past = new Set([...past].filter((source) => !expected?.includes(source)))
    }
    if (!expected?.every((source) => done.has(source))) continue
    fired.push(...byGroup(pool))
    pool = []
    past = new Set([...past, ...done])
    done = new Set()
    expected = undefined
  }
  const missing = (expected ?? []).filter((source) => !done.has(source))
  const objects = byGroup(pool).flatMap((group) => group.objects)
  const rest = objects.length + missing.length > 0 ? { objects, missing } : undefined
  return { fired, took: puts, open: pool, rest, waits: false, expected, closedSources: new Set([...done, ...past]) }
}

function byGroup(pool: ObjectMeta[]): { objects: ObjectMeta[]; group: string }[] {
  const ordinal = ({ putId }: ObjectMeta) => Number(putId.split('#')[1])
  const names = [...new Set(pool.map(({ group }) => group ?? ''))].sort()
  return names.map((group) => {
    const members = pool.filter((object) => (object.group ?? '') === group)
    const from = [...new Set(members.map(({ source }) => source ?? ''))].sort()
    const objects = from.flatMap((source) =>
      members.filter((object) => (object.source ?? '') === source).sort((a, b) => ordinal(a) - ordinal(b)),
    )
    return { objects, group }
  })
}
