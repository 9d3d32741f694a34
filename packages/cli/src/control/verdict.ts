import { dominates, type Estimate, type Measurement } from '@fusionize/planner'
import type { App } from 'fusionize/setup'
import { effectiveSetup, setupsEqual } from 'fusionize/setup'
import type { Domination, EmulationShare, Row, Verdict } from './outcome.js'

/**
 * Judges the adopted setup against the first and against every other row, in median latency and cost per million requests. A difference
 * counts when the 95% intervals do not overlap.
 */
export function judge(app: App, adopted: Row, first: Row, others: readonly Row[]): Verdict {
  const rivals = others.filter((row) => row.id !== adopted.id && row.measurement && !row.failure)
  const dominatedBy = rivals.flatMap((row) => domination(row, adopted))
  const equals = others
    .filter((row) => row !== adopted && row.measurement && !row.failure)
    .flatMap((row): Verdict['equals'] => {
      if (setupsEqual(effectiveSetup(app, row.setup), effectiveSetup(app, adopted.setup)))
        return row.strategy === adopted.strategy ? [] : [{ row: row.strategy, how: 'same setup' }]
      return sameFigures(row.measurement, adopted.measurement) ? [{ row: nameOf(row), how: 'same figures' }] : []
    })
  const verdict: Verdict = {
    medianReduction: reduction(first.measurement?.p50Ms, adopted.measurement?.p50Ms),
    costReduction: reduction(first.measurement?.costPerMillionUsd, adopted.measurement?.costPerMillionUsd),
    dominatedBy,
    equals,
    words: [],
  }
  verdict.words = inWords(verdict, adopted, first, rivals)
  return verdict
}

/** Share of the gains that emulated delay makes: 1 − gain without / gain with emulation (of ms and of USD saved). */
export function emulationShare(first: EmulationShare['first'], adopted: EmulationShare['adopted']): EmulationShare {
  const share = (of: (m: Measurement) => number | null | undefined) => {
    const [firstOn, firstOff, adoptedOn, adoptedOff] = [first.on, first.off, adopted.on, adopted.off].map(of)
    if (firstOn == null || firstOff == null || adoptedOn == null || adoptedOff == null) return null
    const gainOn = firstOn - adoptedOn
    return gainOn > 0 ? 1 - (firstOff - adoptedOff) / gainOn : null
  }
  return {
    first,
    adopted,
    medianShare: share((m) => m.p50Ms.value),
    costShare: share((m) => m.costPerMillionUsd?.value),
  }
}

function domination(row: Row, adopted: Row): Domination[] {
  const [a, b] = [row.measurement, adopted.measurement]
  if (!a || !b || !dominates(a, b)) return []
  const what = [
    a.p50Ms.high < b.p50Ms.low && 'median latency',
    a.costPerMillionUsd && b.costPerMillionUsd && a.costPerMillionUsd.high < b.costPerMillionUsd.low && 'cost',
  ]
  return [{ by: nameOf(row), what: what.filter(Boolean).join(' and ') }]
}

function sameFigures(a: Measurement | null, b: Measurement | null): boolean {
  if (!a || !b || !overlap(a.p50Ms, b.p50Ms)) return false
  return !a.costPerMillionUsd || !b.costPerMillionUsd || overlap(a.costPerMillionUsd, b.costPerMillionUsd)
}

function overlap(a: Estimate, b: Estimate): boolean {
  return a.low <= b.high && b.low <= a.high
}

function reduction(before: Estimate | null | undefined, after: Estimate | null | undefined): number | null {
  return before && after && before.value > 0 ? 1 - after.value / before.value : null
}

function nameOf(row: Row): string {
  return /@best$/.test(row.strategy) ? row.strategy : `${row.strategy} ${row.id.slice(0, 6)}`
}

function inWords(verdict: Verdict, adopted: Row, first: Row, rivals: readonly Row[]): string[] {
  const words: string[] = []
  if (adopted.id === first.id) words.push('No setup was better than the first one, so it stays.')
  else {
    words.push(`Median latency ${change(verdict.medianReduction)} against the first setup.`)
    words.push(
      verdict.costReduction === null
        ? 'Cost cannot be told: the platform does not hold sandboxes to their CPU share.'
        : `Cost per million requests ${change(verdict.costReduction)} against the first setup.`,
    )
  }
  if (rivals.length > 0) {
    words.push(
      verdict.dominatedBy.length === 0
        ? `No other row is better in median latency and cost beyond the intervals (${rivals.length} compared).`
        : `Dominated: ${verdict.dominatedBy.map(({ by, what }) => `${by} is better in ${what} beyond the intervals and no worse in the other`).join('; ')}.`,
    )
  }
  for (const { row, how } of verdict.equals)
    words.push(
      how === 'same setup'
        ? `The adopted setup is the same as ${row}: on this application the feedback only finds what that reference is told.`
        : `The adopted setup only equals ${row}: median latency and cost differ by less than the intervals.`,
    )
  return words
}

function change(share: number | null): string {
  if (share === null) return 'cannot be compared'
  const percent = Math.abs(share * 100).toFixed(1)
  return share >= 0 ? `${percent}% lower` : `${percent}% higher`
}
