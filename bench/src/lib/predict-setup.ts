import { type PredictedFigures, predict } from '@fusionize/planner'
import { awsLambda2023 } from 'fusionize/prices'
import { type Figures, measuredOf, type PublishedRunFolder, type PublishedSetup } from './published-runs.js'

/** A later setup of a run, predicted from the earliest. */
export interface Prediction {
  name: string
  predicted: PredictedFigures
  measured: Figures
  expected?: { sample: Figures; full: Figures }
  /** Setups whose records were given, the earliest first. */
  given: string[]
  /** Some function has another size than in the earliest. */
  resized: boolean
  /** Predicted / measured − 1. */
  errors: { p50: number; cost: number }
  /** The same from the earliest alone, where the setup itself had to give the second size. */
  alone?: { p50: number; cost: number }
  /** How far figures of every other request are from those of the rest: what the records disagree among themselves. */
  halves: Figures
}

/** @param run its first setup is what it is predicted from */
export function predictSetup(run: PublishedRunFolder, target: PublishedSetup): Prediction {
  const [first] = run.setups
  if (!first) throw new RangeError(`${run.name} has no setup`)
  const changed = Object.keys(target.memoryMb).filter((fn) => sizeOf(target, fn) !== sizeOf(first, fn))
  const second = secondSize(run, first, target, changed)
  const predictFrom = (also: readonly PublishedSetup[]) =>
    predict(first.traces, target.setup, {
      also: also.map(({ traces }) => traces),
      inlineSends: 'awaited',
      prices: awsLambda2023,
    })
  const errorsOf = ({ p50Ms, costPerMillionUsd }: PredictedFigures) => ({
    p50: p50Ms.value / target.measured.p50Ms - 1,
    cost: costPerMillionUsd.value / 1e6 / target.measured.costUsd - 1,
  })
  const predicted = predictFrom(second ? [second] : [])
  return {
    name: target.name,
    predicted,
    measured: target.measured,
    ...(target.expected ? { expected: target.expected } : {}),
    given: [first.name, ...(second ? [second.name] : [])],
    resized: changed.length > 0,
    errors: errorsOf(predicted),
    ...(second === target ? { alone: errorsOf(predictFrom([])) } : {}),
    halves: halvesOf(target),
  }
}

const sizeOf = (setup: PublishedSetup, fn: string) => setup.memoryMb[fn] ?? setup.setup.functions[fn]?.memory

/**
 * The setup that is given beside the earliest, so that each function whose size is another has two: of those that show most of these functions at another
 * size than the earliest, the one with the largest, since between two sizes more is known than beyond them. The target itself only where no other setup
 * shows another size: then it tells the times of the functions that were resized, and nothing else.
 */
function secondSize(
  run: PublishedRunFolder,
  first: PublishedSetup,
  target: PublishedSetup,
  changed: readonly string[],
): PublishedSetup | undefined {
  const shown = (setup: PublishedSetup) =>
    changed.filter((fn) => setup.memoryMb[fn] !== undefined && setup.memoryMb[fn] !== sizeOf(first, fn))
  const others = run.setups.filter((setup) => setup !== first && setup !== target && shown(setup).length > 0)
  if (others.length === 0) return changed.length > 0 ? target : undefined
  const sizes = (setup: PublishedSetup) => shown(setup).reduce((sum, fn) => sum + (setup.memoryMb[fn] ?? 0), 0)
  const isBetter = (a: PublishedSetup, b: PublishedSetup) => shown(a).length - shown(b).length || sizes(a) - sizes(b)
  return others.reduce((best, one) => (isBetter(one, best) > 0 ? one : best))
}

function halvesOf({ traces }: PublishedSetup): Figures {
  const odd = measuredOf(traces.filter((_, i) => i % 2 === 1))
  const even = measuredOf(traces.filter((_, i) => i % 2 === 0))
  return { p50Ms: odd.p50Ms / even.p50Ms - 1, costUsd: odd.costUsd / even.costUsd - 1 }
}
