import { awsLambda2023, type PredictedFigures, predict } from '@fusionize/planner'
import type { Bench, Setting } from '../harness.js'
import {
  type Figures,
  measuredOf,
  type PublishedRunFolder,
  type PublishedSetup,
  readRuns,
} from '../lib/published-runs.js'

/** Errors allowed (issue: prediction). */
const AIMS = { same: { p50: 0.15, cost: 0.05 }, resized: { p50: 0.15, cost: 0.1 } } as const

const setting: Setting = {
  role: 'ours',
  isolation: 'process',
  transport: 'none: a model, against published records',
  durability: 'none',
  records: 'on',
  wait: 'park',
}

/** One later setup, predicted. */
interface Outcome {
  id: string
  predicted: PredictedFigures
  setup: PublishedSetup
  /** Which setups were given. */
  given: string[]
  resized: boolean
  errors: { p50: number; cost: number }
  halves: Figures
}

const bench: Bench = {
  method:
    'every later setup of a folder of records of Fusionize’s 2023 prototype predicted from the records of its earliest setup alone; where a function’s memory is another than ' +
    'there, one further setup is given, so that it has two sizes; inline sends awaited, as the prototype did; prices of 2023. ' +
    'Samples: the predicted latency of each request, ms (rr: root’s end − earliest start). Errors are signed, predicted against what the setup’s own records say: rr_p50, and cost_corr_mean ' +
    '(merged and lost invocations restored)',
  unit: 'ms',
  moreIsInFindings: true,
  cases: (options) =>
    Object.fromEntries(
      selected(options).flatMap((run) => run.setups.slice(1).map((s) => [`${run.name}/${s.name}`, setting])),
    ),
  async run({ options, sample, more, finding, progress }) {
    for (const run of selected(options)) {
      progress(`predicting ${run.name}`)
      const first = run.setups[0]
      if (!first) continue
      const outcomes = run.setups.slice(1).map((setup) => outcomeOf(run, first, setup))
      for (const { id, predicted, setup, errors, given, resized, halves } of outcomes) {
        for (const ms of predicted.latenciesMs) sample(id, ms)
        more(id, {
          given,
          resized,
          predicted: { p50Ms: predicted.p50Ms, costUsd: predicted.costPerMillionUsd.value / 1e6 },
          measured: setup.measured,
          expected: setup.expected,
          errors,
          halves,
          reasons: predicted.reasons,
        })
      }
      for (const text of reportOf(run, first, outcomes)) finding(text)
    }
  },
}

export default bench

function selected({ traces, only }: Record<string, string>): PublishedRunFolder[] {
  if (traces === undefined)
    throw new Error(
      'give --traces DIR: a folder with setups.json and one .ndjson file a setup, or one with such folders',
    )
  return readRuns(traces)
    .map((run) => ({
      ...run,
      setups: run.setups.filter((s, i) => i === 0 || only === undefined || s.name.includes(only)),
    }))
    .filter((run) => run.setups.length > 1)
}

function outcomeOf(run: PublishedRunFolder, first: PublishedSetup, setup: PublishedSetup): Outcome {
  const changed = Object.keys(setup.memoryMb).filter((fn) => sizeOf(setup, fn) !== sizeOf(first, fn))
  const second = secondSize(run, first, setup, changed)
  const predicted = predict(first.traces, setup.setup, {
    also: second ? [second.traces] : [],
    inlineSends: 'awaited',
    prices: awsLambda2023,
  })
  const { measured } = setup
  return {
    id: `${run.name}/${setup.name}`,
    predicted,
    setup,
    given: [first.name, ...(second ? [second.name] : [])],
    resized: changed.length > 0,
    errors: {
      p50: predicted.p50Ms.value / measured.p50Ms - 1,
      cost: predicted.costPerMillionUsd.value / 1e6 / measured.costUsd - 1,
    },
    halves: halvesOf(setup),
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

/** What the records disagree among themselves: how far figures of every other request are from those of the rest. */
function halvesOf({ traces }: PublishedSetup): Figures {
  const odd = measuredOf(traces.filter((_, i) => i % 2 === 1))
  const even = measuredOf(traces.filter((_, i) => i % 2 === 0))
  return { p50Ms: odd.p50Ms / even.p50Ms - 1, costUsd: odd.costUsd / even.costUsd - 1 }
}

function reportOf(run: PublishedRunFolder, first: PublishedSetup, outcomes: readonly Outcome[]): string[] {
  const lines = outcomes.map(({ id, predicted, setup, given, resized, errors, halves }) => {
    const aim = resized ? AIMS.resized : AIMS.same
    const { p50Ms, costPerMillionUsd: cost } = predicted
    const within = Math.abs(errors.p50) <= aim.p50 && Math.abs(errors.cost) <= aim.cost
    const against = (of: Figures) =>
      `p50 ${of.p50Ms.toFixed(1)} ms (${percent(p50Ms.value / of.p50Ms - 1)}), cost ${(of.costUsd * 1e6).toFixed(2)} (${percent(cost.value / 1e6 / of.costUsd - 1)})`
    return (
      `${id}: p50 ${percent(errors.p50)}, cost ${percent(errors.cost)}, ${resized ? 'other sizes' : 'same sizes'}, ${within ? 'within' : 'NOT within'} ` +
      `${percent(aim.p50)} / ${percent(aim.cost)}; predicted ${p50Ms.value.toFixed(1)} [${p50Ms.low.toFixed(1)}, ${p50Ms.high.toFixed(1)}] ms, ` +
      `${cost.value.toFixed(2)} [${cost.low.toFixed(2)}, ${cost.high.toFixed(2)}] USD per million; records ${against(setup.measured)}` +
      `${setup.expected ? `; expected.json: sample ${against(setup.expected.sample)}, full run ${against(setup.expected.full)}` : ''}` +
      `; halves of the records differ by ${percent(halves.p50Ms)}, ${percent(halves.costUsd)}; given ${given.join(' and ')}`
    )
  })
  const kept = outcomes.filter(({ errors, resized }) => {
    const aim = resized ? AIMS.resized : AIMS.same
    return Math.abs(errors.p50) <= aim.p50 && Math.abs(errors.cost) <= aim.cost
  })
  const repaired = Object.entries(first.repaired).map(([what, times]) => `${what} (${times})`)
  return [
    ...lines,
    `${run.name}: ${kept.length} of ${outcomes.length} setups within their aims, from ${first.name}`,
    ...(repaired.length > 0 ? [`${run.name}/${first.name}, put right in its records: ${repaired.join('; ')}`] : []),
    ...run.setups.flatMap(({ skipped }) =>
      skipped.slice(0, 5).map(({ file, line, why }) => `skipped ${file}:${line}: ${why}`),
    ),
  ]
}

function percent(share: number): string {
  return `${share >= 0 ? '+' : '−'}${Math.abs(share * 100).toFixed(1)}%`
}
