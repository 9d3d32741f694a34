import type { Estimate } from '@fusionize/planner'
import { describe, expect, it } from 'vitest'
import { findingsOf } from '../src/wisefuse/report.js'
import type { RowName } from '../src/wisefuse/rows.js'
import { dominates, isAhead, reductionOf } from '../src/wisefuse/verdict.js'

const estimate = (value: number, spread = 0.05): Estimate => ({
  value,
  low: value * (1 - spread),
  high: value * (1 + spread),
  n: 300,
})
const row = (name: RowName, p95: number, cost: number) => ({
  name,
  id: name,
  p95Ms: estimate(p95),
  costUsd: estimate(cost),
  doubleBilling: 0.1,
  errors: 0,
  why: { handOverMs: 1, stagesMs: 10, invocations: 4, startUps: 0, skew: 2, mbSeconds: 3 },
  busy: 0.3,
})

describe('the verdict of wisefuse', () => {
  it('has one row dominate another when it is nowhere worse and somewhere better beyond the intervals', () => {
    expect(dominates(row('orion', 100, 10), row('plan', 100, 20))).toBe(true)
    expect(dominates(row('orion', 100, 10), row('plan', 99, 20))).toBe(false)
    expect(dominates(row('orion', 100, 10), row('plan', 101, 10.1))).toBe(false)
    expect(isAhead(row('orion', 100, 10), row('plan', 101, 10.1))).toBe(true)
    expect(dominates(row('plan', 100, 10), row('plan', 100, 10))).toBe(false)
  })

  it('claims a reduction only at equal or lower cost', () => {
    expect(reductionOf(row('plan', 33, 10), row('photons-best', 100, 10))).toMatchObject({
      p95: { value: expect.closeTo(0.67, 6) },
      cost: 0,
      atEqualOrLowerCost: true,
    })
    expect(reductionOf(row('plan', 33, 20), row('photons-best', 100, 10)).atEqualOrLowerCost).toBe(false)
  })

  it('says what dominates plan, and the reductions beside the published ones', () => {
    const rows = [row('photons-best', 100, 10), row('faastlane', 40, 4), row('wisefuse', 50, 8), row('plan', 50, 5)]
    const text = findingsOf(rows, { minimize: 'cost', subjectTo: { p95Ms: 60 } }).join('\n')
    expect(text).toContain('the goal is missed by photons-best')
    expect(text).toContain('faastlane dominates plan in (P95, cost)')
    expect(text).toContain('plan against photons-best: P95 −50.0%')
    expect(text).toContain('−67%')
    expect(text).toContain('wisefuse against faastlane: P95 +25.0%')
    expect(text).toContain('not at equal or lower cost')
  })
})
