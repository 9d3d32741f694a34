import { type InterpolationLaw, type Measured, samplesAt } from '@fusionize/planner'
import { quantile } from '../quantile.js'
import { judge } from './judge.js'
import type { Dag } from './read-dag.js'
import type { ProfiledSizes } from './read-profile.js'
import { halfOf, workflowOf } from './workflow.js'

/**
 * Signed errors at each size between others: predicted from the odd lines of all other sizes, against the even lines measured there; stage by stage and
 * end to end. Lines of words.
 */
export function leaveOneOut(profile: readonly ProfiledSizes[], dag: Dag): string[] {
  const bySize = profile.filter(({ sizesMb }) => sizesMb.every((size) => size === sizesMb[0]))
  const sizes = bySize.map(({ sizesMb }) => sizesMb[0] as number).sort((a, b) => a - b)
  return sizes.slice(1, -1).flatMap((size) =>
    (['linear', 'inverse'] as const).map((law) => {
      const others = bySize.filter(({ sizesMb }) => sizesMb[0] !== size)
      const truth = halfOf(
        bySize.filter(({ sizesMb }) => sizesMb[0] === size),
        'even',
      )
      return `without ${size} MB, ${law}: ${errorsAt(size, law, halfOf(others, 'odd'), truth, dag).join('; ')}`
    }),
  )
}

function errorsAt(
  size: number,
  law: InterpolationLaw,
  others: ProfiledSizes[],
  truth: ProfiledSizes[],
  dag: Dag,
): string[] {
  const predicted = workflowOf(others, dag, false)
  const stages = dag.sized.map((name) => {
    const times = samplesAt(predicted.stages[name]?.time as Measured, size, law)
    const measured = truth.flatMap(({ runs }) => runs.map((run) => run.stages[name] as number))
    return `${name} ${errorOf(times, measured)}`
  })
  const hasEndToEnd = [...others, ...truth].every(({ runs }) => runs.every((run) => run.endToEndMs !== undefined))
  if (!hasEndToEnd) return stages
  const sizesMb = Object.fromEntries(dag.sized.map((name) => [name, size]))
  const { runs } = judge(workflowOf(others, dag, true), sizesMb, law)
  const measured = truth.flatMap((file) => file.runs.map((run) => run.endToEndMs as number))
  return [...stages, `end to end ${errorOf(runs, measured)}`]
}

function errorOf(predicted: ArrayLike<number>, measured: ArrayLike<number>): string {
  const [a, b] = [Float64Array.from(predicted).sort(), Float64Array.from(measured).sort()]
  const error = (p: number) => {
    const share = quantile(a, p) / quantile(b, p) - 1
    return `p${p * 100} ${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}%`
  }
  return `${error(0.5)} ${error(0.95)}`
}
