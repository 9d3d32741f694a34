import { afterEach, expect, test, vi } from 'vitest'
import { crossOut, limitFor } from './kernels.js'
import { calibrate, rateEnv, rates } from './rates.js'
import { crunch, crunchAlone, sieve } from './work.js'

afterEach(() => vi.unstubAllEnvs())

const below30 = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]

test('the sieve leaves the primes standing', () => {
  expect(crossOut(30).flatMap((stands, n) => (stands ? [n] : []))).toEqual(below30)
})

test('the limit for a number of steps makes the sieve take about that many', () => {
  for (const steps of [1_000, 50_000, 1_000_000]) {
    const limit = limitFor(steps)
    expect((limit * Math.log(limit)) / steps).toBeCloseTo(1, 2)
  }
})

test('a calibration is plausible and takes some tens of milliseconds', () => {
  const start = performance.now()
  const { kernel, sieve } = calibrate()
  expect(performance.now() - start).toBeLessThan(1_000)
  expect(kernel).toBeGreaterThan(500)
  expect(kernel).toBeLessThan(5_000_000)
  expect(sieve).toBeGreaterThan(500)
  expect(sieve).toBeLessThan(50_000_000)
})

test('rates come from the environment when it has them, and can be handed on by it', () => {
  vi.stubEnv('WORK_KERNEL_RATE', '1000')
  vi.stubEnv('WORK_SIEVE_RATE', '2000')
  expect(rates()).toEqual({ kernel: 1000, sieve: 2000 })
  expect(rateEnv()).toEqual({ WORK_KERNEL_RATE: '1000', WORK_SIEVE_RATE: '2000' })
})

test('work of n milliseconds uses about n milliseconds of CPU', async () => {
  rates()
  const cpuOf = async (work: () => unknown) => {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
  crunchAlone(20)
  for (const work of [() => crunch(40), () => crunchAlone(40), () => sieve(40)]) {
    const cpu = await cpuOf(work)
    expect(cpu).toBeGreaterThan(20)
    expect(cpu).toBeLessThan(160)
  }
})

test('the sieve answers the same whatever it was given to do', () => {
  expect(sieve(0)).toEqual(sieve(3))
  expect(sieve(0).slice(0, 10)).toEqual(below30)
})
