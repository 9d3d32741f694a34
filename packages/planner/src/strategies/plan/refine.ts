import {
  type App,
  artifactTasks,
  type Constraints,
  type FunctionSpec,
  type FusionSetup,
  type Mode,
  reachableFunctions,
  type TaskName,
  validate,
} from 'fusionize/setup'
import { weightsOf } from '../../goals.js'
import type { PlannerFacts } from '../../types.js'
import { type Call, callsOf, isTogether, mayBeInline } from '../fuse.js'
import { nearest, withMemory } from '../memory.js'
import { objectiveOf, overshootOf, type PlanGoal } from './goal.js'
import type { Predictor, SetupFigures } from './predictor.js'

/** Setups that a refinement looks at, at most. */
const MOST_LOOKS = 1500
/** Steps of the ladder that a size moves at a time. */
const STRIDES = [-1, 1, -2, 2]
/** Sizes that a new function is tried at, in cores. */
const COARSE = [0.07, 0.3, 0.6, 1]
/** Of two setups that are nearly equal under a goal of one figure, the one much better in the other wins. */
const OTHER_FIGURE = 0.01

export interface RefineOptions {
  app: App
  constraints: Constraints
  facts: PlannerFacts
  goal: PlanGoal
  predictor: Predictor
  /** Whether a call was seen; routes of the others stay. */
  isSeen(call: Pick<Call, 'from' | 'to' | 'mode'>): boolean
  /** Sizes may change; false where they change nothing that could be measured. */
  sizes: boolean
  /** Goes on from the best of the starts alone. @default false */
  onlyBest?: boolean
}

export interface Refined {
  setup: FusionSetup
  figures: SetupFigures
}

interface Scored extends Refined {
  score: number
}

/**
 * Improves setups step by step under a predictor, whatever it knows that the search does not: a function's size, or the route of one call in one function, as
 * long as the goal is served better. Only setups that keep the constraints are looked at.
 * @param starts setups, of which those that break a constraint are passed over
 * @returns undefined when none of the starts is allowed
 */
export function refine(starts: readonly FusionSetup[], options: RefineOptions): Refined | undefined {
  const { app, constraints, facts, predictor } = options
  const score = scoreOf(options.goal)
  let looks = 0
  const look = (setup: FusionSetup): Scored | undefined => {
    if (validate(app, setup, constraints, facts).length > 0) return undefined
    looks++
    const figures = predictor.predict(setup)
    return { setup, figures, score: score(figures) }
  }
  const climbed = (start: Scored): Scored => {
    let here = start
    for (let improved = true; improved && looks < MOST_LOOKS; ) {
      improved = false
      for (const move of movesOf(here.setup, options)) {
        const moved = move(here.setup)
        const there = moved && look(moved)
        if (!there || there.score >= here.score * (1 - 1e-9)) continue
        here = there
        improved = true
        if (looks >= MOST_LOOKS) break
      }
    }
    return here
  }
  const lowest = (of: readonly Scored[]) =>
    of.reduce<Scored | undefined>((a, b) => (a && a.score <= b.score ? a : b), undefined)
  const allowed = starts.flatMap((start) => look(completed(app, constraints, start)) ?? [])
  const first = lowest(allowed)
  const best = lowest((options.onlyBest && first ? [first] : allowed).map(climbed))
  return best && { setup: best.setup, figures: best.figures }
}

/** What a goal makes of figures, as one number, its bounds as walls. The smaller the better. */
export function scoreOf(goal: PlanGoal): (figures: SetupFigures) => number {
  const { latencyWeight, costWeight } = weightsOf(goal.minimize)
  const other = (figures: SetupFigures) =>
    latencyWeight === 0 ? figures.p50Ms : costWeight === 0 ? figures.costPerMillionUsd : 1
  return (figures) =>
    objectiveOf(goal, figures) * other(figures) ** OTHER_FIGURE * Math.max(1, overshootOf(goal, figures)) ** 20
}

type Move = (setup: FusionSetup) => FusionSetup | undefined

/** Moves of the functions that a setup has; each is of the setup that it is given. */
function movesOf(setup: FusionSetup, options: RefineOptions): Move[] {
  const { app, facts, isSeen, sizes } = options
  const reached = reachableFunctions(app, setup)
  return reached.flatMap((fn): Move[] => {
    const resized = STRIDES.map(
      (stride): Move =>
        (from) => {
          const at = facts.memoryLadder.indexOf(from.functions[fn]?.memory ?? 0)
          const size = at < 0 ? undefined : facts.memoryLadder[at + stride]
          return size === undefined ? undefined : withMemory(from, fn, size)
        },
    )
    const calls = artifactTasks(app, setup, fn)
      .flatMap((task) => callsOf(app, task))
      .filter((call) => isSeen(call) && mayBeInline(app, call))
    const targets = new Map(calls.map((call) => [`${call.mode} ${call.to}`, call]))
    const rerouted = [...targets.values()].flatMap(({ to, mode }): Move[] => {
      const move = (from: FusionSetup) => completed(app, options.constraints, flipped(from, fn, to, mode))
      if (!sizes || !isInline(setup, fn, to, mode) || reached.includes(to)) return [move]
      // What was inline everywhere becomes a function of its own: it is as good as its size.
      return COARSE.map((cores) => (from) => move(withMemory(from, to, sizeNear(facts, cores * facts.mbPerCore))))
    })
    const unbundled = Object.entries(setup.functions[fn]?.bundle ?? {}).flatMap(([to, items]): Move[] =>
      items > 1 ? [(from) => withBundle(from, fn, to, 1)] : [],
    )
    return [...(sizes ? resized : []), ...rerouted, ...unbundled]
  })
}

function isInline(setup: FusionSetup, fn: TaskName, to: TaskName, mode: Mode): boolean {
  return setup.functions[fn]?.inline[mode].includes(to) === true
}

function sizeNear({ memoryLadder }: PlannerFacts, memoryMb: number): number {
  return nearest(memoryLadder, memoryMb) ?? memoryMb
}

function withBundle(setup: FusionSetup, fn: TaskName, to: TaskName, items: number): FusionSetup | undefined {
  const spec = setup.functions[fn]
  return spec && { functions: { ...setup.functions, [fn]: { ...spec, bundle: { ...spec.bundle, [to]: items } } } }
}

function flipped(setup: FusionSetup, fn: TaskName, to: TaskName, mode: Mode): FusionSetup {
  const spec = setup.functions[fn]
  if (!spec) return setup
  const list = spec.inline[mode]
  const inline = list.includes(to) ? list.filter((task) => task !== to) : [...list, to].sort()
  return { functions: { ...setup.functions, [fn]: { ...spec, inline: { ...spec.inline, [mode]: inline } } } }
}

/**
 * The setup with what follows from its routes: a function evaluates the buckets through which its tasks start what is inline in it, and takes inline what the
 * user wants together.
 */
export function completed(app: App, constraints: Constraints, setup: FusionSetup): FusionSetup {
  if (!app.buckets && !constraints.together?.length) return setup
  const functions: Record<TaskName, FunctionSpec> = { ...setup.functions }
  for (const fn of Object.keys(functions)) {
    const spec = functions[fn] as FunctionSpec
    const inline = { call: [...spec.inline.call], send: [...spec.inline.send], map: [...spec.inline.map] }
    const buckets = new Set<string>()
    const inside = new Set([fn])
    for (const task of inside)
      for (const call of callsOf(app, task)) {
        if (!mayBeInline(app, call)) continue
        const { to, mode, bucket } = call
        if (isTogether(constraints, call) && !inline[mode].includes(to)) inline[mode].push(to)
        if (!inline[mode].includes(to)) continue
        inside.add(to)
        if (bucket !== undefined) buckets.add(bucket)
      }
    for (const mode of ['call', 'send', 'map'] as const) inline[mode].sort()
    functions[fn] = { ...spec, inline, buckets: [...buckets].sort() }
  }
  return { functions }
}
