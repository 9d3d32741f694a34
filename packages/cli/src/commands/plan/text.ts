import type { PredictedFigures, SeenPlan } from '@fusionize/planner'
import pc from 'picocolors'
import { usd, withInterval } from '../../report/format.js'
import { shortenNotation } from '../../report/shorten.js'
import { table } from '../../terminal/table.js'

/** A setup with what it is predicted to do, as `--json` has it. */
export interface PlannedSetup {
  name: string
  id: string
  notation: string
  figures: Pick<PredictedFigures, 'p50Ms' | 'p95Ms' | 'p99Ms' | 'costPerMillionUsd' | 'invocationsPerRequest' | 'cost'>
}

export function plansTable(plans: readonly PlannedSetup[], width: number): string {
  const heading = ['', 'p50 ms', 'p95 ms', 'p99 ms', '$ / M', 'inv. / req.', 'setup']
  const rows = plans.map(({ name, notation, figures }) => [
    name,
    withInterval(figures.p50Ms),
    withInterval(figures.p95Ms),
    withInterval(figures.p99Ms),
    withInterval(figures.costPerMillionUsd),
    figures.invocationsPerRequest.toFixed(2),
    shortenNotation(notation, Math.max(30, width - 100)),
  ])
  return table(heading, rows, ['left', 'right', 'right', 'right', 'right', 'right', 'left'])
}

/** How far the plan is from the best, and what its decisions come to the other way. */
export function reasonsText({ gap, reasons }: SeenPlan): string[] {
  return [...proofOf(gap), ...reasons.map(({ change, why }) => `  ${change}  ${pc.dim(why)}`)]
}

function proofOf(gap: number | undefined): string[] {
  if (gap === undefined) return ['Several entries share functions: each was planned alone, so no bound is known.']
  if (!Number.isFinite(gap)) return []
  return [
    gap < 1e-9
      ? 'Proved: by the rules of the search no setup serves the goal better.'
      : `At most ${(gap * 100).toFixed(1)}% from the best by the rules of the search.`,
  ]
}

export function nearestText(figures: {
  p50Ms: number
  p95Ms: number
  p99Ms: number
  costPerMillionUsd: number
}): string {
  const ms = (value: number) => `${value.toFixed(1)} ms`
  return `p50 ${ms(figures.p50Ms)}, p95 ${ms(figures.p95Ms)}, p99 ${ms(figures.p99Ms)}, ${usd(figures.costPerMillionUsd)} per million requests`
}
