import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { draws, gaussian } from '@fusionize/example-kit'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { checkValues } from '../lib/check-values'
import { smallSvd } from '../lib/jacobi'
import { knownRows, spectrumOf } from '../lib/known-matrix'
import { type Matrix, product, rowsOf, squareSum, stacked, transposed, transposedProduct, zeros } from '../lib/matrix'
import { orthonormalBasis } from '../lib/qr'
import { jobOf, rowsOfBlock, type SvdRequest } from '../lib/request'
import { store } from '../lib/store'
import approximateSvd from '../tasks/approximate-svd'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'svd-'))
  vi.stubEnv('SVD_STORE', folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const sizes = fc
  .record({ columns: fc.integer({ min: 1, max: 12 }), more: fc.integer({ min: 0, max: 30 }), seed: fc.nat() })
  .map(({ columns, more, seed }) => ({ rows: columns + more, columns, seed }))

function randomMatrix({ rows, columns, seed }: { rows: number; columns: number; seed: number }): Matrix {
  const draw = draws(`test/${seed}`)
  return { rows, columns, values: Float64Array.from({ length: rows * columns }, () => gaussian(draw)) }
}

function difference(a: Matrix, b: Matrix): number {
  return Math.sqrt(squareSum({ ...a, values: a.values.map((value, i) => value - (b.values[i] as number)) }))
}

function identity(n: number): Matrix {
  const result = zeros(n, n)
  for (let i = 0; i < n; i++) result.values[i * n + i] = 1
  return result
}

test('a basis is orthonormal and spans the columns that it was made of', () => {
  fc.assert(
    fc.property(sizes, (size) => {
      const matrix = randomMatrix(size)
      const basis = orthonormalBasis(matrix)
      expect(difference(transposedProduct(basis, basis), identity(size.columns))).toBeLessThan(1e-12)
      expect(difference(product(basis, transposedProduct(basis, matrix)), matrix)).toBeLessThan(1e-11)
    }),
    { seed: 46 },
  )
})

test('the basis of columns that depend on one another is orthonormal all the same', () => {
  const one = randomMatrix({ rows: 9, columns: 1, seed: 1 })
  const twice = product(one, { rows: 1, columns: 3, values: Float64Array.of(1, 2, 0) })
  const basis = orthonormalBasis(twice)
  expect(difference(transposedProduct(basis, basis), identity(3))).toBeLessThan(1e-12)
})

test('a small decomposition is one: orthonormal on both sides, values in order, and the matrix again', () => {
  fc.assert(
    fc.property(sizes, (size) => {
      const matrix = randomMatrix(size)
      const { values, left, right } = smallSvd(matrix)
      expect([...values]).toEqual([...values].sort((a, b) => b - a))
      expect(difference(transposedProduct(left, left), identity(size.columns))).toBeLessThan(1e-11)
      expect(difference(transposedProduct(right, right), identity(size.columns))).toBeLessThan(1e-12)
      const scaled = { ...left, values: left.values.map((value, i) => value * (values[i % size.columns] as number)) }
      expect(difference(product(scaled, transposed(right)), matrix)).toBeLessThan(1e-11)
    }),
    { seed: 46 },
  )
})

test('a known matrix has the spectrum that it is known for, to the last digits, and is the same in blocks', () => {
  for (const matrix of [0, 1, 7]) {
    const size = { matrix, rows: 90, columns: 20 }
    const whole = knownRows(size, 0, size.rows)
    const exact = spectrumOf(size)
    for (const [j, value] of smallSvd(whole).values.entries())
      expect(Math.abs(value - (exact[j] as number)) / 100).toBeLessThan(1e-13)
    expect(stacked([knownRows(size, 0, 40), knownRows(size, 40, 50)])).toEqual(whole)
    expect(rowsOf(whole, 40, 50)).toEqual(knownRows(size, 40, 50))
  }
})

test('the large values are found to a thousandth, the others between their bounds', async () => {
  for (const matrix of [1, 2, 3]) {
    const { values, exact, missed } = await approximateSvd({ matrix, rows: 800, columns: 60, blocks: 7 })
    expect(values).toHaveLength(10)
    expect(exact).toEqual(spectrumOf({ matrix, rows: 800, columns: 60 }).slice(0, 10))
    for (const j of [0, 1, 2, 3, 4])
      expect(Math.abs((values[j] as number) / (exact[j] as number) - 1)).toBeLessThan(1e-3)
    expect(missed).toBeLessThan(exact[9] as number)
  }
})

test('a sketch as wide as the matrix finds all values to rounding', async () => {
  const { values, exact, missed } = await approximateSvd({ rows: 100, columns: 12, values: 12, blocks: 5 })
  for (const [j, value] of values.entries()) expect(Math.abs(value - (exact[j] as number))).toBeLessThan(1e-11)
  expect(missed).toBeLessThan(1e-3)
})

test('how the rows are cut makes no difference but for rounding', async () => {
  const cut = (blocks: number) => approximateSvd({ rows: 100, columns: 30, values: 5, blocks })
  const [one, many] = [await cut(1), await cut(100)]
  for (const [j, value] of one.values.entries()) expect(many.values[j]).toBeCloseTo(value, 9)
  for (const blocks of [1, 3, 7, 100]) {
    const job = jobOf({ rows: 100, blocks, columns: 30 })
    const counts = Array.from({ length: blocks }, (_, i) => rowsOfBlock(job, i).count)
    expect(counts.reduce((a, b) => a + b)).toBe(100)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  }
})

test('rows that changed in the store make the request fail', async () => {
  const request: SvdRequest = { rows: 100, columns: 30, values: 5, blocks: 4 }
  await approximateSvd(request)
  const [first, second] = await store.list('matrices/')
  await store.put(first as string, await store.get(second as string))
  await expect(approximateSvd(request)).rejects.toMatchObject({ name: 'WrongValues', code: 'WRONG_VALUES' })
  await store.put(first as string, 'AAAAAAAAAAA=')
  await expect(approximateSvd(request)).rejects.toThrow('has 1 numbers instead of 25 × 30')
})

test('values that cannot be the matrix’s are refused', () => {
  const job = jobOf({ rows: 100, columns: 30, values: 5, blocks: 4 })
  const exact = spectrumOf(job)
  const squares = exact.reduce((sum, value) => sum + value * value, 0)
  const found = exact.slice(0, 5)
  expect(checkValues(job, found, squares, squares)).toBe(0)
  expect(() => checkValues(job, found, squares * 1.01, squares)).toThrow('rows are lost or changed')
  expect(() => checkValues(job, found, squares, squares / 2)).toThrow('is to be expected')
  expect(() =>
    checkValues(
      job,
      found.map((value, j) => value * (j === 2 ? 1.001 : 1)),
      squares,
      squares,
    ),
  ).toThrow('value 3')
  expect(() =>
    checkValues(
      job,
      found.map((value, j) => value * (j === 4 ? 0.9 : 1)),
      squares,
      squares,
    ),
  ).toThrow('value 5')
  expect(() => checkValues(job, found.slice(1), squares, squares)).toThrow('value 1')
  expect(() => checkValues(job, found.slice(0, 4), squares, squares)).toThrow('4 singular values')
})

test.each<SvdRequest>([
  { rows: 1 },
  { columns: 5_000 },
  { rows: 50, columns: 60 },
  { columns: 20, values: 21 },
  { rows: 100, columns: 20, blocks: 101 },
])('%j is refused', async (request) => {
  await expect(approximateSvd(request)).rejects.toThrow(RangeError)
})
