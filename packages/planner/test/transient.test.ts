import { settledOf } from '@fusionize/planner'
import { remoteSetup } from 'fusionize/setup'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../src/statistics/random.js'
import { transientLength } from '../src/statistics/transient.js'
import { simulate } from './simulate.js'
import { worldOf } from './world.js'

describe('the transient of a load', () => {
  const random = seededRandom(11)
  const steady = (n: number) => Array.from({ length: n }, () => 20 + 5 * random())

  it('is what is far off at the start', () => {
    const start = [900, 700, 400, 300, 200, 120, 90, 70, 60, 50]
    expect(transientLength([...start, ...steady(90)])).toBe(10)
  })

  it('is nothing worth mentioning where all is alike', () => {
    expect(transientLength(Array.from({ length: 100 }, () => 20))).toBe(0)
    expect(transientLength([])).toBe(0)
    expect(transientLength(steady(20))).toBe(0)
  })

  it('is never more than half, and outliers at the end stay', () => {
    const values = [...steady(50), ...Array.from({ length: 50 }, (_, i) => 500 + i)]
    expect(transientLength(values)).toBeLessThanOrEqual(50)
    const late = [...steady(95), 900, 900, 900, 900, 900]
    expect(transientLength(late)).toBeLessThanOrEqual(50)
  })
})

describe('the records of a load without its start', () => {
  const world = worldOf('two', { a: [{ cpuMs: 1 }, { call: ['b'] }], b: [{ waitMs: 5 }] })
  const { records, samples } = simulate(world, remoteSetup(world.app, 1769), { requests: 60, everyMs: 100 })
  const sessions = (of: readonly { session?: string | undefined }[]) => new Set(of.map(({ session }) => session))

  it('are all of a load that has no start', () => {
    const settled = settledOf(samples, records)
    expect([settled.samples, settled.records]).toEqual([samples, records])
    expect(settled.samples).toBe(samples)
  })

  it('are none of the first requests, whole', () => {
    const slow = samples.map((sample, i) => (i < 10 ? { ...sample, latencyMs: 500 - 40 * i } : sample))
    const left = settledOf(slow, records)
    expect(left.samples).toEqual(samples.slice(10))
    expect(sessions(left.records)).toEqual(sessions(samples.slice(10)))
    expect(left.records).toHaveLength(100)
  })
})
