import {
  type ExecutionPlan,
  faastlane1,
  gridMean,
  type StageStudy,
  separateGroups,
  stageModel,
  withDriver,
} from '@fusionize/planner'

/** The one size of all functions that serves the goal best, by the model that all competitors plan with (BASELINES: `@best`). */
export function bestSize(study: StageStudy, routes: 'remote' | 'all-fused'): number {
  const sizes = study.facts.ladderMb ?? []
  const tried = sizes.flatMap((memoryMb) => {
    try {
      return [{ memoryMb, ...(routes === 'remote' ? remoteAt(study, memoryMb) : fusedAt(study, memoryMb)) }]
    } catch (error) {
      // Too small for what a stage needs.
      if (error instanceof RangeError) return []
      throw error
    }
  })
  const over = (at: (typeof tried)[number]) =>
    study.goal.kind === 'slo' ? Math.max(1, at.percentileMs / study.goal.ms) : 1
  const [first, ...others] = tried
  if (!first) throw new RangeError('no size holds the application')
  return others.reduce((a, b) => {
    if (over(a) !== over(b)) return over(b) < over(a) ? b : a
    return b.costUsd < a.costUsd ? b : a
  }, first).memoryMb
}

type Figures = Pick<ExecutionPlan['predicted'], 'percentileMs' | 'costUsd'>

function remoteAt({ traced, goal, facts, outsideMs }: StageStudy, memoryMb: number): Figures {
  const model = stageModel(withDriver(traced, memoryMb, facts.mbPerCore, outsideMs), facts)
  const groups = separateGroups(traced.workflow).map((group) => ({ ...group, memoryMb }))
  if (!groups.every((group) => model.fits(group, memoryMb))) throw new RangeError('too small')
  const { latency, costUsd } = model.predict(groups)
  const { perGbSecond, perRequest } = facts.prices
  return {
    percentileMs: model.percentile(latency, goal.percentile),
    costUsd: costUsd + ((gridMean(latency) * memoryMb) / 1024 / 1000) * perGbSecond + perRequest,
  }
}

function fusedAt({ traced, goal, facts, outsideMs }: StageStudy, memoryMb: number): Figures {
  const workflow = withDriver(traced, memoryMb, facts.mbPerCore, outsideMs)
  return faastlane1(workflow, goal, { ...facts, minMb: memoryMb, maxMb: memoryMb, ladderMb: [memoryMb] }).predicted
}
