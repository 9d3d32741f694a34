import { composeValue, followedBy, measuredDependence, type Stage, type Workflow } from '@fusionize/planner'
import type { Dag } from './read-dag.js'
import type { ProfiledRun, ProfiledSizes } from './read-profile.js'

/** Lines of a file, the first being odd. */
export type Half = 'odd' | 'even' | 'all'

/** Name of the stage that stands for what end-to-end times have beside their stages. */
export const RESIDUAL = 'residual'

/** The profile of some of its lines. */
export function halfOf(profile: readonly ProfiledSizes[], half: Half): ProfiledSizes[] {
  return profile.map((file) => ({
    ...file,
    runs: file.runs.filter((_, i) => half === 'all' || (i % 2 === 0) === (half === 'odd')),
  }))
}

/** A profile as the planner sees it. @param residual whether what end-to-end times have beside their stages is a further stage */
export function workflowOf(profile: readonly ProfiledSizes[], dag: Dag, residual: boolean): Workflow {
  const samples = (of: (run: ProfiledRun) => number) => profile.flatMap(({ runs }) => runs.map(of))
  const stages: Record<string, Stage> = {}
  for (const name of dag.sized) {
    const bySize = new Map<number, number[]>()
    for (const file of profile) {
      const size = sizeOf(file, dag, name)
      bySize.set(size, [...(bySize.get(size) ?? []), ...file.runs.map((run) => run.stages[name] as number)])
    }
    const sizes = [...bySize].map(([memoryMb, ms]) => ({ memoryMb, ms })).sort((a, b) => a.memoryMb - b.memoryMb)
    stages[name] = { name, dop: 1, time: { kind: 'measured', sizes } }
  }
  for (const name of dag.fixed)
    stages[name] = { name, dop: 1, time: { kind: 'fixed', ms: samples((run) => run.stages[name] as number) } }
  if (residual)
    stages[RESIDUAL] = { name: RESIDUAL, dop: 1, time: { kind: 'fixed', ms: samples((run) => residualOf(run, dag)) } }
  const names = Object.keys(stages)
  const dependence = measuredDependence(
    profile.map(({ runs }) =>
      Object.fromEntries(names.map((name) => [name, runs.map((run) => run.stages[name] ?? residualOf(run, dag))])),
    ),
  )
  return {
    name: 'profile',
    shape: residual ? followedBy(dag.shape, RESIDUAL) : dag.shape,
    stages,
    edges: [],
    dependence,
  }
}

/** Size of a stage in a file. */
export function sizeOf({ sizesMb }: ProfiledSizes, dag: Dag, stage: string): number {
  return (sizesMb.length === 1 ? sizesMb[0] : sizesMb[dag.sized.indexOf(stage)]) as number
}

/** What the end-to-end time of a run has beside its stages, ms; never less than 0. */
export function residualOf({ endToEndMs = 0, stages }: ProfiledRun, dag: Dag): number {
  return Math.max(0, endToEndMs - composeValue(dag.shape, (name) => stages[name] as number))
}
