import type { TaskName } from 'fusionize/setup'
import { type CallDag, type CallTask, calleesFirst } from './call-dag.js'
import type { Matters } from './dominance.js'
import type { PlanLimits } from './limits.js'
import { stepsOf } from './predictor.js'

/**
 * By task. Latency in every scenario matters where the goal looks at it, or a group or map above waits for the slowest; of what is sent only the mean is
 * billed. Core time matters only where calls are open beside others, or where items of a map share cores; memory only where it could run out.
 */
export function mattersOf(
  dag: CallDag,
  { ladder, limits, latencyCounts }: { ladder: readonly number[]; limits: PlanLimits; latencyCounts: boolean },
): (task: TaskName) => Matters {
  const tasks = Object.values(dag.tasks)
  const all = tasks.reduce((sum, { ownMb }) => sum + ownMb, dag.baseMb)
  const maps = tasks.some(({ calls }) => calls.some(({ mode }) => mode === 'map'))
  const ownMb = maps ? all > dag.baseMb : all > limits.filled * (ladder[0] ?? 0)
  const found = new Map<TaskName, Matters>()
  const of = (name: TaskName) => found.get(name) ?? { spread: name === dag.entry && latencyCounts, cpu: false, ownMb }
  for (const name of calleesFirst(dag).reverse()) {
    const own = of(name)
    for (const step of stepsOf(dag.tasks[name] as CallTask))
      for (const { to, mode } of step) {
        const { spread, cpu } = of(to)
        const among = mode === 'map' || (mode === 'call' && step.length > 1)
        const waited = mode !== 'send'
        found.set(to, {
          spread: spread || among || (waited && own.spread),
          cpu: cpu || among || (waited && own.cpu),
          ownMb,
        })
      }
  }
  return of
}
