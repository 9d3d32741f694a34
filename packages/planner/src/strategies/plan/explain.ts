import { type FusionSetup, type Mode, modes, routeOf, type TaskName } from 'fusionize/setup'
import type { PlannerFacts, Reason } from '../../types.js'
import type { CallDag, CallTask } from './call-dag.js'
import { analyticPredictor, type Predictor, type SetupFigures } from './predictor.js'

/** Tasks up to which every decision gets its reason; of larger plans only the whole. */
const MAX_TASKS = 40

/**
 * Why a plan is as it is: what every route comes to when it is taken the other way, all else unchanged, and every size when it is the next one of the
 * ladder.
 * @param predictor that predicted `figures`
 */
export function explain(
  dag: CallDag,
  facts: PlannerFacts,
  setup: FusionSetup,
  figures: SetupFigures,
  predictor: Predictor = analyticPredictor(dag, facts),
): Reason[] {
  if (Object.keys(dag.tasks).length > MAX_TASKS) return []
  const compared = (other: FusionSetup) => differenceOf(figures, predictor.predict(other))
  return hostsOf(dag, setup).flatMap(({ fn, targets }): Reason[] => {
    const memory = setup.functions[fn]?.memory ?? 0
    const at = facts.memoryLadder.indexOf(memory)
    const next = facts.memoryLadder[at + 1] ?? facts.memoryLadder[at - 1]
    const size =
      next === undefined
        ? []
        : [{ change: `${fn} at ${memory} MB`, why: `with ${next} MB: ${compared(withSize(setup, fn, next))}` }]
    const routes = targets.map(({ to, mode }) => {
      const route = routeOf(setup, fn, to, mode)
      const other = route === 'inline' ? 'remote' : 'inline'
      return {
        change: `${verb[mode]} ${to} in ${fn} ${route}`,
        why: `${other}: ${compared(flipped(setup, fn, to, mode))}`,
      }
    })
    return [...size, ...routes]
  })
}

const verb: Record<Mode, string> = { call: 'call of', send: 'send to', map: 'map over' }

/** The functions that the plan uses, and the calls that each of them routes. */
function hostsOf(dag: CallDag, setup: FusionSetup): { fn: TaskName; targets: { to: TaskName; mode: Mode }[] }[] {
  const hosts = new Map<TaskName, { to: TaskName; mode: Mode }[]>([[dag.entry, []]])
  for (const [fn, targets] of hosts) {
    const inside = new Set([fn])
    for (const task of inside)
      for (const { to, mode } of (dag.tasks[task] as CallTask).calls) {
        if (!targets.some((known) => known.to === to && known.mode === mode)) targets.push({ to, mode })
        if (routeOf(setup, fn, to, mode) === 'inline') inside.add(to)
        else if (!hosts.has(to)) hosts.set(to, [])
      }
  }
  return [...hosts].map(([fn, targets]) => ({ fn, targets }))
}

function withSize(setup: FusionSetup, fn: TaskName, memory: number): FusionSetup {
  const spec = setup.functions[fn]
  return spec ? { functions: { ...setup.functions, [fn]: { ...spec, memory } } } : setup
}

function flipped(setup: FusionSetup, fn: TaskName, to: TaskName, mode: Mode): FusionSetup {
  const spec = setup.functions[fn]
  if (!spec) return setup
  const inline = Object.fromEntries(modes.map((of) => [of, spec.inline[of]])) as typeof spec.inline
  inline[mode] = inline[mode].includes(to) ? inline[mode].filter((task) => task !== to) : [...inline[mode], to].sort()
  return { functions: { ...setup.functions, [fn]: { ...spec, inline } } }
}

function differenceOf(from: SetupFigures, to: SetupFigures): string {
  const change = (a: number, b: number) => `${b >= a ? '+' : ''}${(100 * (b / a - 1)).toFixed(1)}%`
  return `p50 ${change(from.p50Ms, to.p50Ms)}, p95 ${change(from.p95Ms, to.p95Ms)}, cost ${change(from.costPerMillionUsd, to.costPerMillionUsd)}`
}
