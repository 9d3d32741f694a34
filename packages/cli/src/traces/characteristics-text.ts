import { type Characteristics, doubleBillingShareOf } from '@fusionize/planner'
import type { Colors } from '../report/colors.js'
import { bytes, digits, percent } from '../report/format.js'
import { table } from '../terminal/table.js'
import { type Measure, marksOf, measuresOf, stagesOf, untoldOf } from './characteristics.js'

const MOST_STAGES = 12

/** What requests look like, for the terminal. */
export function characteristicsText(seen: Characteristics, colors: Colors): string {
  const { share, unit } = doubleBillingShareOf(seen)
  const stages = stagesOf(seen)
  const untold = untoldOf(seen)
  const rows = measuresOf(seen).map((measure) => [
    colors.bold(measure.name),
    String(measure.n),
    ...[measure.p50, measure.p95, measure.p99, measure.max].map((value) => shown(measure, value)),
    marksOf(measure, percent),
    colors.dim(measure.what),
  ])
  return [
    table(['per request', 'n', 'p50', 'p95', 'p99', 'max', 'share', ''], rows, [
      'left',
      'right',
      'right',
      'right',
      'right',
      'right',
    ]),
    '',
    `Double billing: ${percent(share)} of all billed ${unit}.`,
    ...(untold.length > 0 ? [`Not told by these traces: ${untold.join(', ')}.`] : []),
    ...(stages.length > 0
      ? [
          '',
          table(
            ['stage', 'requests', 'workers', 'skew', 'correlation'],
            stages
              .slice(0, MOST_STAGES)
              .map(({ correlation, from, requests, skew, to, workers }) => [
                `${from} → ${to}`,
                String(requests),
                String(workers),
                `${digits(skew)}×`,
                correlation === null ? '–' : digits(correlation),
              ]),
            ['left', 'right', 'right', 'right', 'right'],
          ),
          colors.dim(
            'workers, skew: medians; correlation of the times of two workers of one request: 0 independent, 1 alike' +
              (stages.length > MOST_STAGES ? `; ${stages.length - MOST_STAGES} more with --json` : ''),
          ),
        ]
      : []),
  ].join('\n')
}

/** A value in its unit. */
export function shown({ unit }: Pick<Measure, 'unit'>, value: number): string {
  if (unit === 'bytes') return bytes(Math.round(value))
  if (unit === 'share') return percent(value)
  if (unit === 'ρ') return value.toFixed(2)
  if (unit === 'ms') return `${digits(value)} ms`
  return unit === '×' ? `${digits(value)}×` : String(Math.round(value))
}
