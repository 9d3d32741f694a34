import { type FusionSetup, reachableFunctions, remoteSetup, type TaskName, validate } from 'fusionize/setup'
import { callsInside, distinctSetups, type Space } from './neighbours.js'

/**
 * Every setup of an application that differs in what it does: each call of each function inline or remote, each function at each size.
 * @returns undefined when there are more than `limit`
 */
export function everySetup(space: Space, limit: number): FusionSetup[] | undefined {
  const { app, facts, constraints } = space
  const [smallest] = facts.memoryLadder
  if (smallest === undefined) return []
  const routes = everyRouting(space, remoteSetup(app, smallest), new Set())
  const distinct = distinctSetups(app, routes)
  const count = distinct.reduce(
    (sum, setup) => sum + facts.memoryLadder.length ** reachableFunctions(app, setup).length,
    0,
  )
  if (count > limit) return undefined
  return distinct
    .flatMap((setup) => everySizing(setup, reachableFunctions(app, setup), facts.memoryLadder))
    .filter((setup) => validate(app, setup, constraints, facts).length === 0)
}

/** Decides one function after the other, since what is inline decides which calls there are to decide. */
function everyRouting(space: Space, setup: FusionSetup, decided: ReadonlySet<TaskName>): FusionSetup[] {
  const { app } = space
  const fn = reachableFunctions(app, setup).find((name) => !decided.has(name))
  if (fn === undefined) return [setup]
  return everyInside(space, setup, fn, new Set()).flatMap((one) => everyRouting(space, one, new Set([...decided, fn])))
}

function everyInside(space: Space, setup: FusionSetup, fn: TaskName, decided: ReadonlySet<string>): FusionSetup[] {
  const open = callsInside(space.app, setup, fn).find(({ to, mode }) => !decided.has(`${to} ${mode}`))
  if (!open) return [setup]
  const { to, mode } = open
  const now = new Set([...decided, `${to} ${mode}`])
  const spec = setup.functions[fn]
  if (!spec) return []
  const inline = { ...spec.inline, [mode]: [...spec.inline[mode], to].sort() }
  const fused = { functions: { ...setup.functions, [fn]: { ...spec, inline } } }
  return [setup, fused].flatMap((one) => everyInside(space, one, fn, now))
}

function everySizing(setup: FusionSetup, functions: readonly TaskName[], ladder: readonly number[]): FusionSetup[] {
  return functions.reduce<FusionSetup[]>(
    (all, fn) =>
      all.flatMap((one) =>
        ladder.flatMap((memory) => {
          const spec = one.functions[fn]
          return spec ? [{ functions: { ...one.functions, [fn]: { ...spec, memory } } }] : []
        }),
      ),
    [setup],
  )
}
