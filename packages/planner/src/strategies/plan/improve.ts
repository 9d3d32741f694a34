import { type FunctionSpec, type FusionSetup, type Mode, modes, type TaskName } from 'fusionize/setup'
import type { PlannerFacts } from '../../types.js'
import type { CallDag, CallTask } from './call-dag.js'
import { compareFigures, type PlanGoal } from './goal.js'
import type { PlanLimits } from './limits.js'
import { type SetupFigures, visitsOf, wholeOf } from './predictor.js'
import { BUNDLES, type Rules, type Visit } from './visit.js'

/** A setup and what it is predicted to do. */
export interface Planned {
  setup: FusionSetup
  figures: SetupFigures
}

interface Problem {
  dag: CallDag
  goal: PlanGoal
  facts: PlannerFacts
  rules: Rules
  limits: PlanLimits
}

/**
 * Steps from a plan to better ones near it until there are none: another size for one function, another route or bundle for one target; a target that becomes a
 * function of its own takes along, in every size, what its host has inline, and one that joins its host what it had inline itself.
 * @param tries predictions at most
 */
export function improved(problem: Problem, start: Planned, tries: number): Planned {
  const { dag, goal, facts, rules } = problem
  const compare = compareFigures(goal)
  const above = callersOf(dag)
  let best = start
  let known = new Map<TaskName, Visit>()
  visitsOf(dag, rules, start.setup, known)(dag.entry)
  let left = tries

  /** Whether the plan with these functions changed is better: then it is the best. */
  const isBetter = (changed: Record<TaskName, FunctionSpec>): boolean => {
    left--
    const setup = { functions: { ...best.setup.functions, ...changed } }
    const kept = new Map(known)
    for (const fn of Object.keys(changed)) for (const caller of above.get(fn) as Set<TaskName>) kept.delete(caller)
    const visitOf = visitsOf(dag, rules, setup, kept)
    const figures = wholeOf(dag, facts, rules, setup, visitOf)
    if (compare(figures, best.figures) >= 0 || !isAllowed(problem, setup, visitOf)) return false
    best = { setup, figures }
    known = kept
    return true
  }

  let idle = false
  while (!idle && left > 0) {
    idle = true
    for (const fn of usedOf(dag, best.setup).keys())
      for (const changed of changesOf(dag, best.setup, fn, facts.memoryLadder))
        if (left > 0 && isBetter(changed)) {
          idle = false
          break
        }
  }
  return { ...best, setup: tidied(dag, best.setup, start.setup) }
}

/** The steps at one function. */
function* changesOf(
  dag: CallDag,
  { functions }: FusionSetup,
  fn: TaskName,
  ladder: readonly number[],
): Generator<Record<TaskName, FunctionSpec>> {
  const spec = functions[fn] as FunctionSpec
  for (const memory of ladder) if (memory !== spec.memory) yield { [fn]: { ...spec, memory } }
  const inside = new Set([fn])
  const seen = new Set<string>()
  for (const task of inside)
    for (const { to, mode, times } of (dag.tasks[task] as CallTask).calls) {
      const isInline = spec.inline[mode].includes(to)
      if (isInline) inside.add(to)
      if (seen.has(`${mode} ${to}`)) continue
      seen.add(`${mode} ${to}`)
      const own = functions[to] as FunctionSpec
      if (isInline) {
        const inline = { ...spec.inline, [mode]: spec.inline[mode].filter((target) => target !== to) }
        const host = { ...spec, inline }
        yield { [fn]: host }
        for (const memory of ladder) yield { [fn]: host, [to]: { ...own, inline: spec.inline, memory } }
        continue
      }
      const joined = withInline(spec, { [mode]: [to] })
      yield { [fn]: joined }
      yield { [fn]: withInline(joined, own.inline) }
      if (mode === 'map')
        for (const bundle of BUNDLES)
          if (bundle <= times && bundle !== (spec.bundle[to] ?? 1))
            yield { [fn]: { ...spec, bundle: { ...spec.bundle, [to]: bundle } } }
    }
}

function withInline(spec: FunctionSpec, more: Partial<Record<Mode, readonly TaskName[]>>): FunctionSpec {
  const inline = Object.fromEntries(
    modes.map((mode) => [mode, [...new Set([...spec.inline[mode], ...(more[mode] ?? [])])].sort()]),
  ) as FunctionSpec['inline']
  return { ...spec, inline }
}

/** Every task with all from which it is reached, itself included. */
function callersOf(dag: CallDag): Map<TaskName, Set<TaskName>> {
  const callers = new Map<TaskName, Set<TaskName>>(Object.keys(dag.tasks).map((name) => [name, new Set([name])]))
  for (const { name, calls } of Object.values(dag.tasks)) for (const { to } of calls) callers.get(to)?.add(name)
  for (const set of callers.values())
    for (const caller of set) for (const more of callers.get(caller) ?? []) set.add(more)
  return callers
}

/** The functions that the plan uses, with the tasks that run in each. */
function usedOf(dag: CallDag, { functions }: FusionSetup): Map<TaskName, Set<TaskName>> {
  const used = new Map<TaskName, Set<TaskName>>([[dag.entry, new Set([dag.entry])]])
  for (const [fn, inside] of used)
    for (const task of inside)
      for (const { to, mode } of (dag.tasks[task] as CallTask).calls)
        if (functions[fn]?.inline[mode].includes(to)) inside.add(to)
        else if (!used.has(to)) used.set(to, new Set([to]))
  return used
}

/** Whether the functions that the plan uses keep to the limits and to their memory. */
function isAllowed(
  { dag, rules, limits }: Problem,
  { functions }: FusionSetup,
  visitOf: (fn: TaskName) => Visit,
): boolean {
  for (const [fn, inside] of usedOf(dag, { functions })) {
    const { memory, inline, bundle } = functions[fn] as FunctionSpec
    if (!limits.mayHost(fn, memory) || !rules.fits(visitOf(fn), memory)) return false
    const marks = new Map<string, string>()
    for (const task of inside) {
      if (!limits.mayRun(task, memory)) return false
      for (const [key, value] of limits.marksOf(task) ?? []) marks.set(key, value)
      for (const { to, mode } of (dag.tasks[task] as CallTask).calls) {
        const isInline = inline[mode].includes(to)
        if (isInline ? !limits.mayInline(task, to) : limits.mustInline(task, to)) return false
        if (!isInline && !rules.fits(visitOf(to), (functions[to] as FunctionSpec).memory, bundle[to])) return false
      }
    }
    if (!limits.agree(marks)) return false
  }
  return true
}

/** Without routes that a function has no use for; functions that the plan does not use as they were. */
function tidied(dag: CallDag, setup: FusionSetup, before: FusionSetup): FusionSetup {
  const used = usedOf(dag, setup)
  const all = Object.entries(setup.functions).map(([fn, spec]): [TaskName, FunctionSpec] => {
    const inside = used.get(fn)
    if (!inside) return [fn, before.functions[fn] as FunctionSpec]
    const calls = [...inside].flatMap((task) => (dag.tasks[task] as CallTask).calls)
    const inline = Object.fromEntries(
      modes.map((mode) => [
        mode,
        spec.inline[mode].filter((target) => calls.some((call) => call.to === target && call.mode === mode)),
      ]),
    ) as FunctionSpec['inline']
    return [fn, { ...spec, inline }]
  })
  return { functions: Object.fromEntries(all) }
}
