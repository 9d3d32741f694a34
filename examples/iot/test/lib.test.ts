import { expect, test, vi } from 'vitest'
import config from '../fusionize.config'
import { measure, neighbours } from '../lib/reading'
import { object, text, wholeNumber } from '../lib/schema'
import { cpuMs } from '../lib/sizes'

const schema = object<{ sensor: string; at: number }>({ sensor: text(/^s-\d+$/), at: wholeNumber() })
const check = (value: unknown) => schema['~standard'].validate(value)

test('a reading depends on the sensor and its count, and on nothing else', () => {
  expect(measure({ sensor: 's-1', at: 2 })).toEqual(measure({ sensor: 's-1', at: 2 }))
  expect(measure({ sensor: 's-1', at: 2 })).not.toEqual(measure({ sensor: 's-1', at: 3 }))
  expect(measure({ sensor: 's-1', at: 2 })).not.toEqual(measure({ sensor: 's-2', at: 2 }))
})

test('readings cover what the tasks tell apart', () => {
  const readings = Array.from({ length: 2_000 }, (_, i) => measure({ sensor: `s-${i % 100}`, at: i }))
  const share = (of: (reading: (typeof readings)[number]) => boolean) => readings.filter(of).length / readings.length
  expect(share(({ temperature }) => temperature <= 3)).toBeCloseTo(18 / 55, 1)
  expect(share(({ sound }) => sound > 80)).toBeCloseTo(20 / 70, 1)
  expect(share(({ airQuality }) => airQuality > 300)).toBeCloseTo(2 / 5, 1)
})

test('the sensors stand on a ring', () => {
  expect(neighbours('s-5')).toEqual(['s-4', 's-6'])
  expect(neighbours('s-0')).toEqual(['s-99', 's-1'])
  expect(neighbours('s-99')).toEqual(['s-98', 's-0'])
})

test('the schema accepts a sensor request as it is', () => {
  expect(check({ sensor: 's-1', at: 0 })).toEqual({ value: { sensor: 's-1', at: 0 } })
})

test('the schema names every field that is wrong, with its path', () => {
  expect(check({ sensor: 'x', at: -1, when: 'now' })).toEqual({
    issues: [
      { message: 'sensor must be a text like /^s-\\d+$/', path: ['sensor'] },
      { message: 'at must be a whole number from 0 on', path: ['at'] },
      { message: 'when is unknown; fields are sensor, at', path: ['when'] },
    ],
  })
  expect(check({ sensor: 's-1' })).toMatchObject({ issues: [{ path: ['at'] }] })
})

test.each([null, undefined, 'text', 3])('the schema refuses %j, which is no object', (value) => {
  expect(check(value)).toEqual({ issues: [{ message: 'must be an object' }] })
})

test('work is scaled from the published sizes, by 0.006 or by what IOT_SCALE says', () => {
  expect(cpuMs('kernel')).toBeCloseTo(1.02, 5)
  vi.stubEnv('IOT_SCALE', '0.5')
  expect([cpuMs('kernel'), cpuMs('sieve'), cpuMs('validity')]).toEqual([85, 65, 0.5])
  vi.unstubAllEnvs()
})

test('the load makes valid requests that differ, over sensors that are neighbours', () => {
  const request = config.load?.request
  const inputs = Array.from({ length: 1_000 }, (_, index) => request?.(index, Math.random).input)
  expect(new Set(inputs.map((input) => JSON.stringify(input))).size).toBe(1_000)
  for (const input of inputs) expect(check(input)).not.toHaveProperty('issues')
})
