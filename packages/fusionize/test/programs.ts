import { inspect } from 'node:util'
import fc from 'fast-check'
import type { App, Mode } from '../src/setup/index.js'
import { type Task, task } from '../src/task.js'

/** What a generated task does, as data: the same program can be made into tasks any number of times. */
export type Program = Record<string, Body>

interface Body {
  steps: Step[]
  end: { returns: keyof typeof values | 'input' | 'results' } | { throws: keyof typeof thrown }
}

type Step =
  | { does: 'use'; uses: Use[]; parallel: boolean; catches: boolean }
  | { does: 'leave'; use: Use }
  | { does: 'change-input' }
  | { does: 'pause' }

/** A call of another task. */
interface Use {
  mode: Mode
  to: string
  gives: keyof typeof values
  /** What a map gives its further items. */
  more: (keyof typeof values)[]
}

/** What a task of a program is given; at depth 0 it calls no other. */
export interface Given {
  depth: number
  value: unknown
}

/** What happened in a run, each entry one line of text; in the order of happening, which says nothing where tasks run in parallel. */
export type Notes = string[]

class Money {
  constructor(readonly cents: number) {}
  toJSON(): string {
    return `${this.cents} ct`
  }
}

const cycle = (): unknown => {
  const ring: { self?: unknown } = {}
  ring.self = ring
  return ring
}

/** Values that are told apart by some ways of copying, and some that no wire takes. */
const values = {
  nothing: () => undefined,
  null: () => null,
  nan: () => Number.NaN,
  'minus-zero': () => -0,
  text: () => 'grüße 🎈 \u2028 \ud800',
  date: () => new Date(0),
  map: () => new Map([[1, 2]]),
  money: () => ({ price: new Money(5), list: [new Money(6)] }),
  // biome-ignore lint/suspicious/noSparseArray: that is the point
  holes: () => [1, , undefined, () => 1, Symbol('s')],
  'undefined-fields': () => ({ a: undefined, b: { c: undefined, d: Number.POSITIVE_INFINITY }, e: () => 1 }),
  bytes: () => new Uint8Array([1, 2, 3]),
  buffer: () => Buffer.from('abc'),
  'bytes-inside': () => ({ bytes: new Uint8Array([1, 2]) }),
  prototype: () => JSON.parse('{ "__proto__": { "admin": true }, "constructor": 1 }'),
  'no-prototype': () => Object.assign(Object.create(null), { a: 1 }),
  nested: () => ({ list: [{ a: [1, { b: 'c' }] }, []], n: 1e21 }),
  bigint: () => 1n,
  function: () => () => 1,
  cycle,
} satisfies Record<string, () => unknown>

class Declined extends Error {
  override name = 'Declined'
  code = 'E_CARD'
  details = { at: 'till', limit: undefined, tried: [1, 2] }
}

const thrown = {
  error: () => new Error('plain'),
  'type-error': () => new TypeError('typed', { cause: new RangeError('cause', { cause: 'deep' }) }),
  custom: () => new Declined('declined'),
  numbered: () => Object.assign(new Error('numbered'), { code: 7, fn: () => 1, ring: cycle() }),
  several: () => new AggregateError([new Declined('first'), 'second'], 'several'),
  text: () => 'a text',
  object: () => ({ status: 404 }),
  nothing: () => undefined,
  function: () => () => 1,
} satisfies Record<string, () => unknown>

const names = <T extends object>(table: T) => Object.keys(table) as (keyof T & string)[]

/** Programs for the app: tasks take only calls that the app's edges allow. */
export function programArbitrary(app: App): fc.Arbitrary<Program> {
  const tasks = Object.keys(app.tasks)
  return fc
    .tuple(...tasks.map((name) => bodyArbitrary(app, name)))
    .map((bodies) => Object.fromEntries(tasks.map((name, i) => [name, bodies[i] as Body])))
}

function bodyArbitrary(app: App, name: string): fc.Arbitrary<Body> {
  const possible = app.edges.filter(({ from }) => from === name)
  const changes = fc.constantFrom<Step>({ does: 'change-input' }, { does: 'pause' })
  const end = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom('input', 'results').map((returns) => ({ returns }) as Body['end']) },
    { weight: 2, arbitrary: fc.constantFrom(...names(values)).map((returns) => ({ returns })) },
    { weight: 1, arbitrary: fc.constantFrom(...names(thrown)).map((throws) => ({ throws })) },
  )
  if (possible.length === 0) return fc.record({ steps: fc.array(changes, { maxLength: 2 }), end })
  const use = fc
    .constantFrom(...possible.flatMap(({ to, modes }) => modes.map((mode) => ({ to, mode }))))
    .chain((edge) =>
      fc.record({
        to: fc.constant(edge.to),
        mode: fc.constant(edge.mode),
        gives: fc.constantFrom(...names(values)),
        more: fc.array(fc.constantFrom(...names(values)), { maxLength: 2 }),
      }),
    )
  const steps = fc.oneof(
    { weight: 4, arbitrary: useArbitrary(use) },
    { weight: 1, arbitrary: use.map((one): Step => ({ does: 'leave', use: one })) },
    { weight: 1, arbitrary: changes },
  )
  return fc.record({ steps: fc.array(steps, { maxLength: 3 }), end })
}

function useArbitrary(use: fc.Arbitrary<Use>): fc.Arbitrary<Step> {
  return fc.record({
    does: fc.constant('use' as const),
    uses: fc.array(use, { minLength: 1, maxLength: 2 }),
    parallel: fc.boolean(),
    catches: fc.boolean(),
  })
}

/** Makes the program's tasks; what they see and do goes to `notes`. */
export function tasksOf(program: Program, notes: Notes): Map<string, Task<Given, unknown>> {
  const tasks = new Map<string, Task<Given, unknown>>()
  for (const [name, body] of Object.entries(program)) {
    // Typed by hand: what these tasks take and return is exactly what the types would refuse.
    const run = async (input: Given, context: { invocation: string; attempt: number }): Promise<unknown> => {
      const note = (what: string, value: unknown) => notes.push(`${context.invocation} ${name} ${what} ${shown(value)}`)
      note(`attempt ${context.attempt} begins with`, input)
      const results: unknown[] = []
      for (const step of body.steps) await take(step, input, results, note)
      note('ends with', results)
      if ('throws' in body.end) throw thrown[body.end.throws]()
      if (body.end.returns === 'input') return input
      return body.end.returns === 'results' ? results : values[body.end.returns]()
    }
    tasks.set(name, task(name, run as never) as unknown as Task<Given, unknown>)
  }

  async function take(step: Step, input: Given, results: unknown[], note: (what: string, value: unknown) => void) {
    if (step.does === 'pause') return new Promise<void>((resolve) => setImmediate(resolve))
    if (step.does === 'change-input') {
      Object.assign(input, { changed: true, value: 'changed' })
      return
    }
    if (input.depth === 0) return
    if (step.does === 'leave') {
      void make(step.use, input).catch((error: unknown) => note('left', told(error)))
      return
    }
    try {
      if (step.parallel) results.push(...(await all(step.uses.map((use) => make(use, input)))))
      else for (const use of step.uses) results.push(await make(use, input))
    } catch (error) {
      note('catches', told(error))
      if (!step.catches) throw error
    }
  }

  function make({ mode, to, gives, more }: Use, { depth }: Given): Promise<unknown> {
    const callee = tasks.get(to) as Task<Given, unknown>
    const given = { depth: depth - 1, value: values[gives]() }
    const others = more.map((other) => ({ depth: depth - 1, value: values[other]() }))
    const made = mode === 'call' ? callee(given) : mode === 'send' ? callee.send(given) : callee.map([given, ...others])
    // Too late to be seen, on any route.
    given.value = 'changed after the call'
    return made
  }

  return tasks
}

/** As Promise.all, but of several errors it takes the first in order: the first in time depends on how long a route takes. */
async function all(promises: Promise<unknown>[]): Promise<unknown[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

/** A value as text that tells apart what `===` on JSON would not. */
function shown(value: unknown): string {
  return inspect(value, { depth: null, breakLength: Number.POSITIVE_INFINITY })
}

/** What a caller can see of an error, without its stack. */
export function told(error: unknown): unknown {
  if (!(error instanceof Error)) return { thrown: shown(error) }
  const { name, message, cause } = error
  const known = error as { code?: unknown; errors?: unknown[] }
  return {
    class: Object.getPrototypeOf(error).constructor.name,
    name,
    message,
    code: known.code,
    own: shown(Object.fromEntries(Object.entries(error).filter(([key]) => key !== 'errors' && key !== 'cause'))),
    ...(cause === undefined ? {} : { cause: told(cause) }),
    ...(known.errors === undefined ? {} : { errors: known.errors.map(told) }),
  }
}
