import { gridMean } from '../../stages/grid.js'
import { type Interval, lengthOf, subtract, union } from '../../statistics/intervals.js'
import type { RequestTrace, TaskRun } from '../../traces/types.js'
import type { DrivenPlan } from './driven.js'

/**
 * Measured / predicted time of each group's slowest sandbox, by stage (BASELINES, `wisefuse`, Confirm): what a plan's workflow is rescaled by. A group that
 * did not run has no ratio.
 */
export function stageRatios({ held, model }: DrivenPlan, traces: readonly RequestTrace[]): Record<string, number> {
  return Object.fromEntries(
    held.flatMap((group): [string, number][] => {
      const times = traces.flatMap((trace) => slowestMs(trace, new Set(group.stages)) ?? [])
      const predicted = gridMean(model.stage(group, group.memoryMb))
      if (times.length === 0 || !(predicted > 0)) return []
      const ratio = times.reduce((sum, ms) => sum + ms, 0) / times.length / predicted
      return group.stages.map((stage) => [stage, ratio])
    }),
  )
}

/** From the first to the last moment of the group's runs in one invocation, without what they waited for other functions; of the invocations the longest. */
function slowestMs({ runs }: RequestTrace, stages: ReadonlySet<string>): number | undefined {
  const sandboxes = new Map<number, { from: number; to: number; waits: Interval[] }>()
  for (const [i, run] of runs.entries()) {
    if (!stages.has(run.task)) continue
    const seen = sandboxes.get(run.invocation) ?? { from: run.startMs, to: run.endMs, waits: [] }
    seen.from = Math.min(seen.from, run.startMs)
    seen.to = Math.max(seen.to, run.endMs)
    for (const called of runs) if (called.parent === i) seen.waits.push(...waitOf(called, run.invocation))
    sandboxes.set(run.invocation, seen)
  }
  const lengths = [...sandboxes.values()].map(({ from, to, waits }) => lengthOf(subtract([from, to], union(waits))))
  return lengths.length === 0 ? undefined : Math.max(...lengths)
}

function waitOf({ mode, call, startMs, endMs, invocation }: TaskRun, caller: number): Interval[] {
  if (mode === 'send' || invocation === caller) return []
  return [call ? [call.startMs, call.endMs] : [startMs, endMs]]
}
