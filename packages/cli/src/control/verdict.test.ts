import { allFusedSetup, remoteSetup } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { app, measurement, row } from '../../test/support/outcome.js'
import { emulationShare, judge } from './verdict.js'

const first = row(remoteSetup(app, 128), 'closure', measurement(200, 30))
const adopted = row(allFusedSetup(app, 512), 'closure', measurement(50, 20))

test('reductions are told against the first setup', () => {
  const verdict = judge(app, adopted, first, [first, adopted])
  expect(verdict.medianReduction).toBeCloseTo(0.75)
  expect(verdict.costReduction).toBeCloseTo(1 / 3)
  expect(verdict.words.join(' ')).toMatch(/75\.0% lower.*33\.3% lower/)
})

test('a row that is better beyond the intervals in one figure and no worse in the other dominates', () => {
  const cheaper = row(allFusedSetup(app, 256), 'remote@best', measurement(49.9, 12))
  expect(judge(app, adopted, first, [first, cheaper]).dominatedBy).toEqual([{ by: 'remote@best', what: 'cost' }])
  const within = row(allFusedSetup(app, 256), 'remote@best', measurement(49, 19.8))
  expect(judge(app, adopted, first, [first, within]).dominatedBy).toEqual([])
  const tradeOff = row(allFusedSetup(app, 256), 'remote@best', measurement(90, 12))
  expect(judge(app, adopted, first, [first, tradeOff]).dominatedBy).toEqual([])
})

test('where the adopted setup only equals all-fused, it says so', () => {
  const same = row(allFusedSetup(app, 512), 'all-fused@best', measurement(50, 20))
  expect(judge(app, adopted, first, [first, adopted, same]).equals).toEqual([
    { row: 'all-fused@best', how: 'same setup' },
  ])
  const close = row(allFusedSetup(app, 768), 'all-fused@best', measurement(51, 20.2))
  const verdict = judge(app, adopted, first, [first, adopted, close])
  expect(verdict.equals).toEqual([{ row: 'all-fused@best', how: 'same figures' }])
  expect(verdict.words.join(' ')).toMatch(/only equals all-fused@best/)
})

test('rows that failed are no rivals', () => {
  const failed = { ...row(allFusedSetup(app, 256), 'remote@best', measurement(1, 1)), failure: 'errors' }
  expect(judge(app, adopted, first, [first, failed]).dominatedBy).toEqual([])
})

test('without cost the verdict is of latency and says why', () => {
  const a = row(remoteSetup(app, 128), 'closure', measurement(200, null))
  const b = row(allFusedSetup(app, 512), 'closure', measurement(50, null))
  const verdict = judge(app, b, a, [a, b])
  expect(verdict.costReduction).toBeNull()
  expect(verdict.words.join(' ')).toMatch(/Cost cannot be told/)
})

test('the share of emulated delay is what the gain loses without it', () => {
  const share = emulationShare(
    { on: measurement(200, 30), off: measurement(110, 26) },
    { on: measurement(50, 20), off: measurement(35, 20) },
  )
  expect(share.medianShare).toBeCloseTo(0.5)
  expect(share.costShare).toBeCloseTo(0.4)
})

test('there is no share of a gain that is none', () => {
  const none = { on: measurement(50, 20), off: measurement(50, 20) }
  expect(emulationShare(none, none)).toMatchObject({ medianShare: null, costShare: null })
})
