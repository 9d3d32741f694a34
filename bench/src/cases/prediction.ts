import type { Bench, Setting } from '../harness.js'
import { type Prediction, predictSetup } from '../lib/predict-setup.js'
import { type Figures, type PublishedRunFolder, readRuns } from '../lib/published-runs.js'

/** Errors allowed (issue: prediction). */
const AIMS = { same: { p50: 0.15, cost: 0.05 }, resized: { p50: 0.15, cost: 0.1 } } as const
/** Skipped lines of a file that are told one by one. */
const TOLD = 5

const setting: Setting = {
  role: 'ours',
  isolation: 'process',
  transport: 'none: a model, against published records',
  durability: 'none',
  records: 'on',
  wait: 'park',
}

const bench: Bench = {
  method:
    'every later setup of a folder of records of Fusionize’s 2023 prototype predicted from the records of its earliest setup alone; where a function’s memory is another than ' +
    'there, one further setup is given, so that it has two sizes; inline sends awaited, as the prototype did; prices of 2023. ' +
    'Samples: the predicted latency of each request, ms (rr: root’s end − earliest start). Errors are signed, predicted against what the setup’s own records say: rr_p50, and ' +
    'cost_corr_mean (merged and lost invocations restored)',
  unit: 'ms',
  moreIsInFindings: true,
  cases: (options) =>
    Object.fromEntries(selected(options).flatMap(({ targets }) => targets.map(({ id }) => [id, setting]))),
  async run({ options, sample, more, finding, progress }) {
    for (const { run, targets } of selected(options)) {
      progress(`predicting ${run.name}`)
      const outcomes = targets.map(({ id, target }) => ({ id, ...predictSetup(run, target) }))
      for (const { id, ...outcome } of outcomes) {
        const { predicted, measured, expected, errors, given, resized, halves, alone } = outcome
        for (const ms of predicted.latenciesMs) sample(id, ms)
        const { p50Ms, costPerMillionUsd, reasons } = predicted
        const figures = { p50Ms, costUsd: costPerMillionUsd.value / 1e6 }
        more(id, { given, resized, predicted: figures, measured, expected, errors, alone, halves, reasons })
        finding(lineOf(id, outcome))
      }
      const kept = outcomes.filter(isWithin).length
      finding(`${run.name}: ${kept} of ${targets.length} setups within their aims, from ${run.setups[0]?.name}`)
      for (const text of importedOf(run)) finding(text)
    }
  },
}

export default bench

function selected({ traces, only }: Record<string, string>) {
  if (traces === undefined)
    throw new Error(
      'give --traces DIR: a folder with setups.json and one .ndjson file a setup, or one with such folders',
    )
  return readRuns(traces)
    .map((run) => ({
      run,
      targets: run.setups
        .slice(1)
        .filter(({ name }) => only === undefined || name.includes(only))
        .map((target) => ({ id: `${run.name}/${target.name}`, target })),
    }))
    .filter(({ targets }) => targets.length > 0)
}

const aimOf = ({ resized }: Prediction) => (resized ? AIMS.resized : AIMS.same)

function isWithin(outcome: Prediction): boolean {
  const aim = aimOf(outcome)
  return Math.abs(outcome.errors.p50) <= aim.p50 && Math.abs(outcome.errors.cost) <= aim.cost
}

function lineOf(id: string, outcome: Prediction): string {
  const { predicted, measured, expected, errors, alone, given, resized, halves } = outcome
  const { p50Ms, costPerMillionUsd: cost } = predicted
  const aim = aimOf(outcome)
  const against = (of: Figures) =>
    `p50 ${of.p50Ms.toFixed(1)} ms (${percent(p50Ms.value / of.p50Ms - 1)}), cost ${(of.costUsd * 1e6).toFixed(2)} (${percent(cost.value / 1e6 / of.costUsd - 1)})`
  return [
    `${id}: p50 ${percent(errors.p50)}, cost ${percent(errors.cost)}, ${resized ? 'other sizes' : 'same sizes'}, ` +
      `${isWithin(outcome) ? 'within' : 'NOT within'} ${percent(aim.p50)} / ${percent(aim.cost)}`,
    `predicted ${p50Ms.value.toFixed(1)} [${p50Ms.low.toFixed(1)}, ${p50Ms.high.toFixed(1)}] ms, ` +
      `${cost.value.toFixed(2)} [${cost.low.toFixed(2)}, ${cost.high.toFixed(2)}] USD per million`,
    `records ${against(measured)}`,
    ...(expected ? [`expected.json: sample ${against(expected.sample)}, full run ${against(expected.full)}`] : []),
    `halves of the records differ by ${percent(halves.p50Ms)}, ${percent(halves.costUsd)}`,
    `given ${given.join(' and ')}${given.includes(outcome.name) ? ' (no other setup shows these sizes)' : ''}`,
    ...(alone ? [`from ${given[0]} alone, by the law: p50 ${percent(alone.p50)}, cost ${percent(alone.cost)}`] : []),
  ].join('; ')
}

/** What the importer did with a run's files. */
function importedOf({ name, setups, empty }: PublishedRunFolder): string[] {
  const repaired = Object.entries(setups[0]?.repaired ?? {}).map(([what, times]) => `${what} (${times})`)
  return [
    ...empty.map((setup) => `${name}/${setup}: no request in its records, so nothing to compare with`),
    ...(repaired.length > 0 ? [`${name}/${setups[0]?.name}, put right in its records: ${repaired.join('; ')}`] : []),
    ...setups.flatMap(({ skipped }) => [
      ...skipped.slice(0, TOLD).map(({ file, line, why }) => `skipped ${file}:${line}: ${why}`),
      ...(skipped.length > TOLD ? [`and ${skipped.length - TOLD} more lines of ${skipped[0]?.file}`] : []),
    ]),
  ]
}

function percent(share: number): string {
  return `${share >= 0 ? '+' : '−'}${Math.abs(share * 100).toFixed(1)}%`
}
