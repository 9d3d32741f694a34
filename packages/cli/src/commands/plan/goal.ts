import type { Goal } from '@fusionize/planner'
import type { ArgsDef } from 'citty'
import { numberFlag } from '../../terminal/check-args.js'
import { UsageError } from '../../terminal/usage-error.js'

const figures = ['p50', 'p95', 'p99', 'cost', 'balanced'] as const

/** Options that say what a plan is for. */
export const goalArgs = {
  p50: { type: 'string', valueHint: 'ms', description: 'Bound of the median latency, as in 80ms or 0.2s' },
  p95: { type: 'string', valueHint: 'ms', description: 'Bound of the 95th percentile' },
  p99: { type: 'string', valueHint: 'ms', description: 'Bound of the 99th percentile' },
  budget: { type: 'string', valueHint: 'USD', description: 'Bound of the cost of a million requests' },
  minimize: {
    type: 'enum',
    options: [...figures],
    description: 'What to minimise (default: the cost under a bound of latency, p95 under a budget)',
  },
} as const satisfies ArgsDef

export interface GoalArgs {
  p50?: string
  p95?: string
  p99?: string
  budget?: string
  minimize?: string
}

/** @returns undefined when no goal is given: then the whole front is asked for @throws {UsageError} */
export function goalOf(args: GoalArgs): Goal | undefined {
  const costPerMillionUsd = numberFlag('budget', args.budget, { min: Number.MIN_VALUE })
  const latencies = { p50Ms: msOf('p50', args.p50), p95Ms: msOf('p95', args.p95), p99Ms: msOf('p99', args.p99) }
  const bounds = Object.entries({ ...latencies, costPerMillionUsd }).filter(([, bound]) => bound !== undefined)
  if (bounds.length === 0 && args.minimize === undefined) return undefined
  const isSlo = Object.values(latencies).some((bound) => bound !== undefined)
  const minimize = (args.minimize ?? (isSlo ? 'cost' : 'p95')) as Goal['minimize']
  return bounds.length === 0 ? { minimize } : { minimize, subjectTo: Object.fromEntries(bounds) }
}

/** `300ms`, `0.3s` or `300` as ms. @throws {UsageError} */
function msOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const [, number, unit = 'ms'] = /^\s*([\d.]+)\s*(ms|s)?\s*$/.exec(value) ?? []
  const ms = Number(number) * (unit === 's' ? 1000 : 1)
  if (ms > 0) return ms
  throw new UsageError(`--${name} must be a time above 0, as in 300ms or 0.3s, not '${value}'`, 'plan')
}
