import { availableParallelism } from 'node:os'
import type { Evidence } from '@fusionize/cli/control'
import type { Round } from '@fusionize/planner'
import { type Bed, commonGoal, type FoundSetup, setupsFor } from './find-setups.js'
import { frozen } from './frozen.js'
import { type Compared, signed } from './report.js'
import { published, type RowName, rowNames } from './rows.js'
import { simulatedBed } from './simulated-bed.js'
import { dominates, type Judged, reductionOf } from './verdict.js'

/**
 * What the strategies would come to with more cores than this machine has, by simulation, for those whose P95 a simulation of this machine predicts (issue).
 * All plan anew for the larger machine and its own goal.
 */
export async function simulateMoreCores(
  bed: Bed,
  profile: Round,
  profiled: Evidence,
  { rps, requests }: { rps: number; requests?: number },
  found: Record<RowName, FoundSetup>,
  measured: readonly Compared[],
): Promise<string[]> {
  const here = simulatedBed(bed, profiled, rps, availableParallelism(), requests)
  const errors = new Map<RowName, number>()
  for (const { name, p95Ms } of measured) {
    const { measurement } = await here.probe(name, found[name].setup)
    errors.set(name, measurement.p95Ms.value / p95Ms.value - 1)
  }
  const words = [...errors].map(([name, error]) => `${name} ${signed(error)}`).join(', ')
  const trusted = rowNames.filter((name) => Math.abs(errors.get(name) ?? Number.NaN) <= frozen.withinP95)
  const lines = [
    `simulated P95 against the measured one, on this machine's cores: ${words}; within ${100 * frozen.withinP95}%: ${trusted.join(', ') || 'none'}`,
  ]
  if (trusted.length < 2) return lines
  for (const cores of frozen.cores.filter((count) => count > availableParallelism())) {
    const larger = simulatedBed(bed, profiled, rps, cores, requests)
    const start = await larger.probe('remote', profile.setup)
    const { goal, words: goalWords } = await commonGoal(larger, start)
    const setups = await setupsFor(larger, goal, start, trusted)
    const rows: Judged[] = []
    for (const name of trusted) {
      const { measurement } = await larger.probe(name, setups[name].setup)
      rows.push({ name, p95Ms: measurement.p95Ms, costUsd: measurement.costPerMillionUsd })
    }
    lines.push(
      `simulated with ${cores} cores: ${goalWords}; ${rows.map(rowWords).join(', ')}`,
      ...verdicts(rows, cores),
    )
  }
  return lines
}

function verdicts(rows: readonly Judged[], cores: number): string[] {
  return (['plan', 'wisefuse'] as const).flatMap((name) => {
    const own = rows.find((row) => row.name === name)
    if (!own) return []
    const others = rows.filter((row) => row !== own)
    const above = others.filter((row) => dominates(row, own)).map((row) => row.name)
    const against = others.map((row) => {
      const { p95, cost, atEqualOrLowerCost } = reductionOf(own, row)
      const theirs = published[row.name as RowName]
      const beside = theirs === undefined ? '' : ` (published −${(100 * theirs).toFixed(0)}%)`
      const costs = cost === null ? '' : ` at ${signed(cost)} cost`
      return `${row.name} ${signed(-p95.value)}${costs}${atEqualOrLowerCost ? '' : ', not at equal or lower cost'}${beside}`
    })
    return [
      `simulated with ${cores} cores: ${above.length === 0 ? `none dominates ${name}` : `${above.join(', ')} dominates ${name}`}; P95 of ${name} against ${against.join('; ')}`,
    ]
  })
}

function rowWords({ name, p95Ms, costUsd }: Judged): string {
  return `${name} ${p95Ms.value.toFixed(1)} ms${costUsd ? ` $${costUsd.value.toFixed(2)}` : ''}`
}
