import type { StrategyContext } from '@fusionize/planner'
import { objective, type Proposal } from '@fusionize/planner'
import { allFusedSetup, type FusionSetup, reachableFunctions, remoteSetup, setupId, validate } from 'fusionize/setup'
import { roundOf } from './run.js'
import type { World } from './world.js'

/**
 * The best that the world allows, by trying: every choice of routes among those that `closure` has, each with its sizes by descent from every
 * uniform size. True costs and latencies, not predictions.
 */
export function exhaustiveOptimum(
  world: World,
  context: StrategyContext,
): { setup: FusionSetup; score: number; tried: number } {
  const known = new Map<string, number>()
  const score = (setup: FusionSetup): number => {
    const id = setupId(setup)
    const proposal: Proposal = { setup, reasons: [], summary: '' }
    const found =
      known.get(id) ??
      objective(context.goal, roundOf(world, 'exhaustive', proposal, { requests: 1, everyMs: 1 }).measurement)
    known.set(id, found)
    return found
  }
  let best = { setup: remoteSetup(world.app, 128), score: Number.POSITIVE_INFINITY }
  for (const routes of allRoutes(world)) {
    if (validate(world.app, routes, context.constraints, world.facts).length > 0) continue
    const functions = reachableFunctions(world.app, routes)
    for (const size of world.facts.memoryLadder) {
      let at = sized(routes, Object.keys(routes.functions), size)
      for (let changed = true; changed; ) {
        changed = false
        for (const fn of functions)
          for (const other of world.facts.memoryLadder) {
            const next = sized(at, [fn], other)
            if (score(next) >= score(at)) continue
            at = next
            changed = true
          }
      }
      if (score(at) < best.score) best = { setup: at, score: score(at) }
    }
  }
  return { ...best, tried: known.size }
}

/** Every subset of the inline targets that all-fused has, the same in every function; synchronous calls one after another are always inline. */
function* allRoutes({ app, scripts }: World): Generator<FusionSetup> {
  const all = [...new Set(app.edges.flatMap(({ to, modes }) => modes.map((mode) => `${mode} ${to}`)))]
  const alone = Object.values(scripts)
    .flat()
    .flatMap((step) => ('call' in step && step.call.length === 1 ? [`call ${step.call[0]}`] : []))
  const targets = all.filter((target) => !alone.includes(target))
  for (let bits = 0; bits < 2 ** targets.length; bits++) {
    const wanted = new Set([...alone, ...targets.filter((_, i) => bits & (1 << i))])
    const setup = allFusedSetup(app, 128)
    for (const spec of Object.values(setup.functions))
      for (const mode of ['call', 'send', 'map'] as const)
        spec.inline[mode] = spec.inline[mode].filter((to) => wanted.has(`${mode} ${to}`))
    yield setup
  }
}

function sized(setup: FusionSetup, functions: readonly string[], memory: number): FusionSetup {
  const changed = Object.fromEntries(
    functions.flatMap((fn) => {
      const spec = setup.functions[fn]
      return spec ? [[fn, { ...spec, memory }]] : []
    }),
  )
  return { functions: { ...setup.functions, ...changed } }
}
