import type { PlannerFacts } from '@fusionize/planner'
import {
  type App,
  artifactTasks,
  type Constraints,
  effectiveSetup,
  type FunctionSpec,
  type FusionSetup,
  type Mode,
  reachableFunctions,
  routeOf,
  setupId,
  type TaskName,
  validate,
} from 'fusionize/setup'

/** Where setups may be. */
export interface Space {
  app: App
  facts: Pick<PlannerFacts, 'memoryLadder' | 'mbPerCore'>
  constraints: Constraints
}

/** The same for setups that behave alike. */
export function effectId(app: App, setup: FusionSetup): string {
  return setupId(effectiveSetup(app, setup))
}

/** Each setup once, by what it comes to; the first of equals stays. */
export function distinctSetups(app: App, setups: readonly FusionSetup[]): FusionSetup[] {
  const found = new Map<string, FusionSetup>()
  for (const setup of setups) {
    const id = effectId(app, setup)
    if (!found.has(id)) found.set(id, setup)
  }
  return [...found.values()]
}

/**
 * Setups one change away that the constraints allow: one function a size up or down, or one call inside a function routed the other way. What is
 * cut off keeps the size and the routes that it had; what is taken in brings its routes.
 */
export function neighboursOf({ app, facts, constraints }: Space, setup: FusionSetup): FusionSetup[] {
  const functions = reachableFunctions(app, setup)
  const found = functions.flatMap((fn) => [
    ...resized(setup, fn, facts.memoryLadder),
    ...callsInside(app, setup, fn).map(({ to, mode }) => rerouted(setup, functions, fn, to, mode)),
  ])
  const own = effectId(app, setup)
  return distinctSetups(app, found).filter(
    (one) => effectId(app, one) !== own && validate(app, one, constraints, facts).length === 0,
  )
}

function resized(setup: FusionSetup, fn: TaskName, ladder: readonly number[]): FusionSetup[] {
  const spec = specOf(setup, fn)
  const at = ladder.indexOf(spec.memory)
  return [ladder[at - 1], ladder[at + 1]].flatMap((memory) =>
    memory === undefined ? [] : [withSpec(setup, fn, { ...spec, memory })],
  )
}

/** Calls that a function's tasks make, by target and mode, since that is how a function routes. What only buckets start is left where it is. */
export function callsInside(app: App, setup: FusionSetup, fn: TaskName): { to: TaskName; mode: Mode }[] {
  const inside = artifactTasks(app, setup, fn)
  const direct = app.edges.filter(({ from, buckets, sends }) => inside.includes(from) && (!buckets || sends))
  const found = new Map(
    direct.flatMap(({ to, modes }) => modes.map((mode) => [`${to} ${mode}`, { to, mode }] as const)),
  )
  return [...found.values()].filter(({ to }) => to !== fn)
}

function rerouted(
  setup: FusionSetup,
  functions: readonly TaskName[],
  fn: TaskName,
  to: TaskName,
  mode: Mode,
): FusionSetup {
  const spec = specOf(setup, fn)
  const callee = specOf(setup, to)
  if (routeOf(setup, fn, to, mode) === 'remote') {
    const inline = union(callee.inline, spec.inline)
    return withSpec(setup, fn, { ...spec, inline: { ...inline, [mode]: union1(inline[mode], [to]) } })
  }
  const inline = { ...spec.inline, [mode]: spec.inline[mode].filter((task) => task !== to) }
  const cut = withSpec(setup, fn, { ...spec, inline })
  return functions.includes(to) ? cut : withSpec(cut, to, { ...callee, memory: spec.memory, inline: spec.inline })
}

function union(a: FunctionSpec['inline'], b: FunctionSpec['inline']): FunctionSpec['inline'] {
  return { call: union1(a.call, b.call), send: union1(a.send, b.send), map: union1(a.map, b.map) }
}

const union1 = (a: readonly TaskName[], b: readonly TaskName[]) => [...new Set([...a, ...b])].sort()

function withSpec(setup: FusionSetup, fn: TaskName, spec: FunctionSpec): FusionSetup {
  return { functions: { ...setup.functions, [fn]: spec } }
}

function specOf(setup: FusionSetup, fn: TaskName): FunctionSpec {
  const spec = setup.functions[fn]
  if (!spec) throw new RangeError(`the setup has no function '${fn}'`)
  return spec
}
