import { compose, stagesOf } from '../../stages/compose.js'
import { type ExecutionPlan, meets, wordsOf } from '../../stages/execution-plan.js'
import { type Grid, gridMean, gridOf, inSeries } from '../../stages/grid.js'
import { type SizedGroup, type StageModel, stageModel } from '../../stages/model.js'
import { type StageFacts, type StageGoal, sizesFrom, type Workflow } from '../../stages/types.js'
import { STEP_MB } from './grow.js'

/** Rule 5 [code]: numbers of processes that the CPU loop is run in, and how much its median may grow. */
const PROCESSES = [1, 2, 4, 8, 16]
const GROWTH = 1.4
/** Rule 6 [code]: default of the one size. */
export const FAASTLANE_MB = 3008

/**
 * `faastlane` (BASELINES). 1 [abstract] functions of a workflow run in one process, sharing by reference; parallel steps fork processes or start
 * containers. 2 [code] sequential steps inline. 3 [code] each parallel branch or item a forked process, joined in order. 4 [code] n items, p processes per
 * container: the first p here, max(0, ⌈(n − p)/p⌉) further containers of the same merged function, at once. 5 [code] p: a CPU loop in 1, 2, 4, 8, 16
 * processes; the last count whose median grew < 1.4×. 6 [code] one memory size, 3008 MB by default, swept. 7 sends stay remote [ours].
 *
 * [ours]: on the stage model the CPU loop of k processes on v cores grows by k/v; the swept size is the one that serves the goal; further containers cost the edge's
 * hand-over, and the first is billed while it waits for them.
 */
export function faastlane(workflow: Workflow, goal: StageGoal, facts: StageFacts): ExecutionPlan {
  return swept('faastlane', workflow, goal, facts, (memoryMb) => processesAt(facts, memoryMb))
}

/** `faastlane-1`: one sandbox only, all items in it [memory: probably WiseFuse's comparison]. */
export function faastlane1(workflow: Workflow, goal: StageGoal, facts: StageFacts): ExecutionPlan {
  return swept('faastlane-1', workflow, goal, facts, () => Number.POSITIVE_INFINITY)
}

/** Rule 5 on a sandbox of this size. */
export function processesAt({ maxCores, mbPerCore }: StageFacts, memoryMb: number): number {
  const cores = Math.min(maxCores, memoryMb / mbPerCore)
  const grown = (processes: number) => Math.max(1, processes / cores) / Math.max(1, 1 / cores)
  return PROCESSES.filter((processes) => grown(processes) < GROWTH).at(-1) ?? 1
}

interface At {
  groups: SizedGroup[]
  percentileMs: number
  costUsd: number
  mbMs: number
}

/** Rule 6. */
function swept(
  strategy: string,
  workflow: Workflow,
  goal: StageGoal,
  facts: StageFacts,
  processes: (memoryMb: number) => number,
): ExecutionPlan {
  const model = stageModel(workflow, facts, { dependence: 'independent' })
  const sizes = new Set(sizesFrom(facts, facts.minMb, STEP_MB))
  if (FAASTLANE_MB <= facts.maxMb) sizes.add(FAASTLANE_MB)
  const tried = [...sizes].flatMap((memoryMb) => atSize(model, goal.percentile, memoryMb, processes(memoryMb)) ?? [])
  if (tried.length === 0) throw new RangeError(`no one size holds all stages of '${workflow.name}'`)
  const best = tried.reduce((a, b) => (isBetter(goal, b, a) ? b : a))
  const { groups, ...predicted } = best
  const p = Math.max(...groups.map(({ bundle }) => bundle))
  return {
    strategy,
    merged: true,
    groups: groups.map((group) => ({ ...group, concurrency: 1, sandboxes: model.sandboxes(group) })),
    passing: {},
    predicted,
    feasible: meets(goal, predicted),
    reasons: [
      {
        change: `one function of ${groups[0]?.memoryMb} MB`,
        why: `of the sizes swept it serves the goal best: ${wordsOf(groups)}`,
      },
      { change: `${p} processes per container`, why: `more would make a CPU loop ${GROWTH}× slower` },
    ],
  }
}

function isBetter(goal: StageGoal, a: At, b: At): boolean {
  const over = (at: At) => (goal.kind === 'slo' ? at.percentileMs / goal.ms : at.costUsd / goal.usdPerRequest)
  const [overA, overB] = [Math.max(1, over(a)), Math.max(1, over(b))]
  if (overA !== overB) return overA < overB
  return goal.kind === 'slo' ? a.costUsd < b.costUsd : a.percentileMs < b.percentileMs
}

/** Rules 2 to 4 at one size; nothing where it does not hold what it must. */
function atSize(model: StageModel, percentile: number, memoryMb: number, processes: number): At | undefined {
  const { workflow, facts, binMs } = model
  const groups = stagesOf(workflow.shape)
    .filter((name) => workflow.stages[name]?.time.kind !== 'fixed')
    .map((name): SizedGroup => {
      const { dop, time } = workflow.stages[name] as Workflow['stages'][string]
      const bundle = time.kind === 'work' ? Math.min(dop, processes) : 1
      return { stages: [name], bundle, parallel: 'processes', memoryMb }
    })
  if (!groups.every((group) => model.fits(group, memoryMb))) return undefined
  const heads = new Map(groups.map((group) => [group.stages[0] as string, group]))
  const grids = (name: string): Grid => {
    const group = heads.get(name)
    if (!group) return model.sandbox({ stages: [name], bundle: 1, parallel: 'loop' }, 0)
    const own = model.stage(group, memoryMb)
    const handOver = workflow.edges.find(({ to, handOverMs }) => to === name && handOverMs.length > 0)
    // Only further containers are reached over the network.
    return model.sandboxes(group) > 1 && handOver ? inSeries(own, gridOf(handOver.handOverMs, binMs)) : own
  }
  const latency = compose(workflow.shape, grids)
  const further = groups.reduce((sum, group) => sum + model.sandboxes(group) - 1, 0)
  const furtherMs = groups.reduce(
    (sum, group) => sum + (model.sandboxes(group) - 1) * model.billedMs(group, memoryMb),
    0,
  )
  const mbMs = memoryMb * (gridMean(latency) + furtherMs)
  const { perGbSecond, perRequest } = facts.prices
  return {
    groups,
    percentileMs: model.percentile(latency, percentile),
    mbMs,
    costUsd: (mbMs / 1024 / 1000) * perGbSecond + (1 + further) * perRequest,
  }
}
