import { expect, it } from 'vitest'
import { student975 } from '../src/statistics/student.js'

it('has the quantiles of printed tables', () => {
  const printed = { 1: 12.706, 4: 2.776, 19: 2.093, 30: 2.042, 40: 2.021, 60: 2.0, 120: 1.98, 1e9: 1.96 }
  for (const [freedom, quantile] of Object.entries(printed))
    expect(student975(Number(freedom))).toBeCloseTo(quantile, 2.5)
})

it('falls with every degree of freedom', () => {
  for (let freedom = 1; freedom < 200; freedom++) expect(student975(freedom + 1)).toBeLessThan(student975(freedom))
})

it('is none of a single value', () => {
  expect(() => student975(0)).toThrow(RangeError)
  expect(() => student975(Number.NaN)).toThrow(RangeError)
})
