import fc from 'fast-check'
import { expect, test } from 'vitest'
import { draws, gaussian } from './draws.js'
import { packBytes, packNumbers, unpackBytes, unpackNumbers } from './packed.js'
import { wholeNumbers } from './whole-numbers.js'

test('draws follow from their seed and are spread evenly; other seeds give others', () => {
  const of = (seed: string, count: number) => {
    const draw = draws(seed)
    return Array.from({ length: count }, draw)
  }
  expect(of('a/1', 50)).toEqual(of('a/1', 50))
  expect(of('a/1', 50)).not.toEqual(of('a/2', 50))
  const many = of('even', 40_000)
  for (let tenth = 0; tenth < 10; tenth++)
    expect(many.filter((value) => Math.floor(value * 10) === tenth).length / 4_000).toBeCloseTo(1, 1)
})

test('gaussian numbers have mean 0, variance 1, and a tail', () => {
  const draw = draws('normal')
  const many = Array.from({ length: 40_000 }, () => gaussian(draw))
  const mean = (of: (value: number) => number) => many.reduce((sum, value) => sum + of(value), 0) / many.length
  expect(mean((value) => value)).toBeCloseTo(0, 1)
  expect(mean((value) => value ** 2)).toBeCloseTo(1, 1)
  expect(many.filter((value) => Math.abs(value) > 2).length / many.length).toBeCloseTo(0.0455, 2)
})

test('what is packed comes back, every bit of it, from the middle of a buffer too', () => {
  fc.assert(
    fc.property(fc.float64Array(), fc.nat(5), (numbers, from) => {
      const part = numbers.subarray(Math.min(from, numbers.length))
      const back = unpackNumbers(packNumbers(part))
      expect([...back].map((value) => Object.is(value, -0))).toEqual([...part].map((value) => Object.is(value, -0)))
      expect(back).toEqual(new Float64Array(part))
    }),
    { seed: 46 },
  )
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(new Uint8Array(unpackBytes(packBytes(bytes.subarray(1))))).toEqual(bytes.slice(1))
    }),
    { seed: 46 },
  )
})

test('a request of whole numbers is filled, and refused where it is wrong', () => {
  const fields = { rows: { least: 1, most: 9, otherwise: 3 }, seed: { least: 0, most: 1, otherwise: 0 } }
  expect(wholeNumbers({}, fields)).toEqual({ rows: 3, seed: 0 })
  expect(wholeNumbers({ rows: 9 }, fields)).toEqual({ rows: 9, seed: 0 })
  expect(() => wholeNumbers({ rows: 10 }, fields)).toThrow('rows is 10; give a whole number from 1 to 9')
  expect(() => wholeNumbers({ rows: 1.5 }, fields)).toThrow(RangeError)
  expect(() => wholeNumbers({ rows: '3' as unknown as number }, fields)).toThrow('rows is "3"')
  expect(() => wholeNumbers({ row: 3 } as never, fields)).toThrow('row is unknown; fields are rows, seed')
})
