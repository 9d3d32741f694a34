import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { draws, gaussian } from '@fusionize/example-kit'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { chooseForests } from '../lib/choose'
import { makeDigits, side } from '../lib/digits'
import { accuracyOf, grid, type Settings, trainForest } from '../lib/forest'
import { principalComponents, projected, symmetricEigen } from '../lib/pca'
import { store } from '../lib/store'
import { classOf, type Examples, growTree } from '../lib/tree'
import mlPipeline from '../tasks/ml-pipeline'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ml-'))
  vi.stubEnv('ML_STORE', folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

/** The whole pipeline in one function, with neither fusionize nor the store. */
function withoutFramework(dataset: number, training: number, testing: number, forests: number) {
  const learnt = makeDigits(`training/${dataset}`, training)
  const asked = makeDigits(`testing/${dataset}`, testing)
  const components = principalComponents(learnt.pictures, side * side, 16)
  const examplesOf = ({ pictures, labels }: typeof learnt): Examples => ({
    features: projected(pictures, components),
    width: 16,
    labels,
  })
  const models = grid
    .slice(0, forests)
    .map((settings, i) => trainForest(examplesOf(learnt), settings, `forest/${dataset}/${i}`))
  return { models, ...chooseForests(models, examplesOf(asked), { dataset, training, testing, forests }) }
}

test('ten forests together read digits, exactly as well as the same computation without the framework', {
  timeout: 60_000,
}, async () => {
  const reply = await mlPipeline({ dataset: 2 })
  const { models, chosen, accuracy } = withoutFramework(2, 600, 300, 10)
  expect(reply).toMatchObject({ chosen, accuracy, outOfBag: models.map(({ outOfBag }) => outOfBag) })
  expect(accuracy).toBeGreaterThan(0.9)
  expect(reply.explained).toBeGreaterThan(0.7)
  const work = models.map(({ compared }) => compared).sort((a, b) => a - b)
  expect((work[9] as number) / (work[4] as number)).toBeGreaterThan(3)
})

test('a training leaves its models and nothing twice', async () => {
  await mlPipeline({ training: 120, testing: 100, forests: 3 })
  const once = await store.dump()
  await mlPipeline({ training: 120, testing: 100, forests: 3 })
  expect(await store.dump()).toBe(once)
  expect(await store.list('models/')).toEqual([0, 1, 2].map((i) => `models/d1-120-100/${i}`))
})

test('digits follow from their name and number, all ten evenly, and are no two alike', () => {
  const digits = makeDigits('a', 200)
  expect(makeDigits('a', 100).pictures).toEqual(digits.pictures.slice(0, 100 * side * side))
  expect(makeDigits('b', 200).pictures).not.toEqual(digits.pictures)
  for (let digit = 0; digit < 10; digit++) expect(digits.labels.filter((label) => label === digit)).toHaveLength(20)
  const texts = Array.from({ length: 200 }, (_, i) =>
    digits.pictures.slice(i * side * side, (i + 1) * side * side).join(),
  )
  expect(new Set(texts).size).toBe(200)
  for (const value of digits.pictures) expect(value >= 0 && value <= 16 && Number.isInteger(value)).toBe(true)
})

test('the eigenvectors of a symmetric matrix are orthonormal and turn it into its eigenvalues', () => {
  const n = 12
  const draw = draws('eigen')
  const matrix = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = gaussian(draw)
  const { values, vectors } = symmetricEigen(matrix, n)
  const sum = (by: (i: number) => number) => Array.from({ length: n }, (_, i) => by(i)).reduce((a, b) => a + b)
  for (let p = 0; p < n; p++)
    for (let q = 0; q < n; q++) {
      expect(sum((i) => (vectors[i * n + p] as number) * (vectors[i * n + q] as number))).toBeCloseTo(
        p === q ? 1 : 0,
        12,
      )
      const turned = sum((j) => (matrix[q * n + j] as number) * (vectors[j * n + p] as number))
      expect(turned).toBeCloseTo((values[p] as number) * (vectors[q * n + p] as number), 12)
    }
})

test('components are where the data varies, and what is seen along them has their variances', () => {
  const draw = draws('components')
  const rows = Float64Array.from({ length: 3 * 500 }, (_, i) => gaussian(draw) * ([1, 10, 3][i % 3] as number) + 5)
  const found = principalComponents(rows, 3, 2)
  expect(Math.abs(found.directions[1] as number)).toBeGreaterThan(0.99)
  expect(Math.abs(found.directions[5] as number)).toBeGreaterThan(0.95)
  const seen = projected(rows, found)
  for (const k of [0, 1]) {
    const column = [...seen].filter((_, i) => i % 2 === k)
    const mean = column.reduce((a, b) => a + b) / column.length
    expect(mean).toBeCloseTo(0, 10)
    expect(column.reduce((a, b) => a + b * b, 0) / (column.length - 1)).toBeCloseTo(found.variances[k] as number, 8)
  }
})

const all = { depth: 20, tried: 2, leaf: 1 }
/** Two features; the class is 3 where both are on the same side of a half, else 5. */
const chess: Examples = (() => {
  const draw = draws('chess')
  const features = Float64Array.from({ length: 400 }, draw)
  const labels = Uint8Array.from({ length: 200 }, (_, i) => {
    const [x, y] = [features[2 * i] as number, features[2 * i + 1] as number]
    return x < 0.5 === y < 0.5 ? 3 : 5
  })
  return { features, width: 2, labels }
})()
const rows = [...chess.labels.keys()]

test('a tree without limits knows all that it has seen; limits are kept', () => {
  const { tree } = growTree(chess, rows, all, draws('tree'))
  expect(rows.filter((row) => classOf(tree, chess, row) !== chess.labels[row])).toEqual([])
  const stump = growTree(chess, rows, { ...all, depth: 1 }, draws('tree')).tree
  expect(stump.length / 4).toBeLessThanOrEqual(3)
  const { tree: coarse } = growTree(chess, rows, { ...all, leaf: 60 }, draws('tree'))
  expect(coarse.filter((_, i) => i % 4 === 0 && coarse[i] === -1).length).toBeLessThanOrEqual(3)
})

test('a forest that learns from wrong labels is found out', () => {
  const draw = draws('noise')
  const guesses = { ...chess, labels: chess.labels.map(() => Math.floor(draw() * 10)) }
  const forest = trainForest(guesses, grid[3] as Settings, 'noise')
  expect(forest.outOfBag).toBeLessThan(0.3)
  const fresh = { ...guesses, labels: guesses.labels.map(() => Math.floor(draw() * 10)) }
  expect(accuracyOf([forest], fresh)).toBeLessThan(0.3)
  expect(() => chooseForests([forest], fresh, { dataset: 1, training: 600, testing: 200, forests: 10 })).toThrow(
    'of the digits right',
  )
})

test.each([{ training: 10 }, { forests: 11 }, { dataset: 0.5 }, { trees: 3 } as never])(
  '%j is refused',
  async (request) => {
    await expect(mlPipeline(request)).rejects.toThrow(RangeError)
  },
)
