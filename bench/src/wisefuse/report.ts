import type { Estimate, Goal } from '@fusionize/planner'
import type { Why } from './reasons.js'
import { published, type RowName } from './rows.js'
import { dominates, isAhead, reductionOf } from './verdict.js'

/** A row as the findings see it. */
export interface Compared {
  name: RowName
  /** Of its setup. */
  id: string
  p95Ms: Estimate
  costUsd: Estimate | null
  doubleBilling: number
  errors: number
  why: Why
  /** Share of the machine. */
  busy: number
}

/** The claims of the issue, whatever they come to. */
export function findingsOf(rows: readonly Compared[], goal: Goal): string[] {
  const of = (name: RowName) => rows.find((row) => row.name === name)
  const plan = of('plan')
  if (!plan) return []
  return [
    keptWords(rows, goal),
    ...sameSetups(rows),
    dominationWords(plan, rows),
    ...reductions(plan, rows),
    ...reductions(of('wisefuse'), rows),
  ]
}

function keptWords(rows: readonly Compared[], { subjectTo }: Goal): string {
  const bound = subjectTo?.p95Ms ?? Number.POSITIVE_INFINITY
  const misses = rows
    .filter(({ p95Ms }) => p95Ms.value > bound)
    .map(({ name, p95Ms }) => `${name} (${p95Ms.value.toFixed(1)} ms)`)
  return misses.length === 0 ? 'every row keeps the goal' : `the goal is missed by ${misses.join(', ')}`
}

function sameSetups(rows: readonly Compared[]): string[] {
  return rows.flatMap((row, i) =>
    rows
      .slice(i + 1)
      .flatMap((other) => (other.id === row.id ? [`${row.name} and ${other.name} are the same setup`] : [])),
  )
}

function dominationWords(plan: Compared, rows: readonly Compared[]): string {
  const others = rows.filter((row) => row.name !== 'plan' && row.id !== plan.id && row.errors === 0)
  const beyond = others.filter((row) => dominates(row, plan)).map(({ name }) => name)
  const ahead = others.filter((row) => isAhead(row, plan)).map(({ name }) => name)
  const own = others.filter((row) => dominates(plan, row)).map(({ name }) => name)
  const byChance = ahead.filter((name) => !beyond.includes(name))
  return (
    `${beyond.length === 0 ? 'no row dominates plan in (P95, cost)' : `${beyond.join(', ')} dominates plan in (P95, cost)`}` +
    `${byChance.length === 0 ? '' : `; by values within the intervals ${byChance.join(', ')} would`}` +
    `; plan dominates ${own.length === 0 ? 'none' : own.join(', ')}`
  )
}

function reductions(of: Compared | undefined, rows: readonly Compared[]): string[] {
  if (!of) return []
  return rows
    .filter(({ name }) => name !== of.name && name !== 'plan' && name !== 'wisefuse')
    .map((row) => {
      const { p95, cost, atEqualOrLowerCost } = reductionOf(of, row)
      const theirs = published[row.name]
      const costs = cost === null ? 'cost unknown' : `cost ${signed(cost)}`
      return (
        `${of.name} against ${row.name}: P95 ${signed(-p95.value)} (${signed(-p95.high)} to ${signed(-p95.low)}), ${costs}` +
        `${atEqualOrLowerCost ? '' : ': not at equal or lower cost'}` +
        `${theirs === undefined ? '' : `; published for WiseFuse's ML pipeline: −${(100 * theirs).toFixed(0)}%`}` +
        `; ${reasonWords(of, row)}`
      )
    })
}

/** What the records of two rows differ in, `of` first. */
function reasonWords(of: Compared, row: Compared): string {
  const [a, b] = [of.why, row.why]
  const pair = (x: number, y: number, digits: number, unit: string) =>
    `${x.toFixed(digits)} for ${y.toFixed(digits)}${unit}`
  return [
    `stages ${pair(a.stagesMs, b.stagesMs, 1, ' ms')}`,
    `hand-overs ${pair(a.handOverMs, b.handOverMs, 1, ' ms')}`,
    `invocations ${pair(a.invocations, b.invocations, 1, '')}`,
    `double billing ${pair(100 * of.doubleBilling, 100 * row.doubleBilling, 0, '%')}`,
    `slowest / median worker ${pair(a.skew, b.skew, 2, '')}`,
    `start-ups ${pair(100 * a.startUps, 100 * b.startUps, 1, '% of requests')}`,
    `MB·s ${pair(a.mbSeconds, b.mbSeconds, 1, '')}`,
  ].join(', ')
}

/** As a signed percentage. */
export function signed(share: number): string {
  return `${share < 0 ? '−' : '+'}${(100 * Math.abs(share)).toFixed(1)}%`
}
