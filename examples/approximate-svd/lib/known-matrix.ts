import { draws, gaussian } from '@fusionize/example-kit'
import { type Matrix, zeros } from './matrix'
import type { SvdJob } from './request'

type Size = Pick<SvdJob, 'matrix' | 'rows' | 'columns'>

/** The singular values of a matrix, in falling order: they fall evenly, by a fifth to two fifths from one to the next. */
export function spectrumOf({ matrix, columns }: Size): number[] {
  const ratio = 0.6 + 0.2 * draws(`spectrum/${matrix}`)()
  return Array.from({ length: columns }, (_, j) => 100 * ratio ** j)
}

/**
 * Rows of a matrix with that spectrum: U · diag(spectrum) · Vᵀ, made without any other row. U is the discrete cosine basis, whose columns are
 * orthonormal, with its rows shuffled and some of them negated; V is three reflections.
 */
export function knownRows(size: Size, first: number, count: number): Matrix {
  const { matrix, rows, columns } = size
  const spectrum = spectrumOf(size)
  const draw = draws(`matrix/${matrix}`)
  const step = coprimeTo(rows, Math.floor(draw() * rows))
  const shift = Math.floor(draw() * rows)
  const sign = draw() * 1_000
  const mirrors = [0, 1, 2].map(() => unitVector(columns, draw))
  const result = zeros(count, columns)
  for (let i = 0; i < count; i++) {
    const place = (step * (first + i) + shift) % rows
    const row = result.values.subarray(i * columns, (i + 1) * columns)
    const negated = Math.sin(sign * (first + i + 1)) < 0 ? -1 : 1
    for (let j = 0; j < columns; j++) {
      const length = Math.sqrt((j === 0 ? 1 : 2) / rows)
      row[j] = negated * length * Math.cos((Math.PI * (place + 0.5) * j) / rows) * (spectrum[j] as number)
    }
    for (const mirror of mirrors) reflect(row, mirror)
  }
  return result
}

function reflect(row: Float64Array, mirror: Float64Array): void {
  let dot = 0
  for (const [j, value] of mirror.entries()) dot += value * (row[j] as number)
  for (const [j, value] of mirror.entries()) row[j] = (row[j] as number) - 2 * dot * value
}

function unitVector(length: number, draw: () => number): Float64Array {
  const vector = Float64Array.from({ length }, () => gaussian(draw))
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return vector.map((value) => value / norm)
}

/** The first number from `least` on that has no divisor in common with n. */
function coprimeTo(n: number, least: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))
  let found = Math.max(1, least)
  while (divisor(found, n) !== 1) found++
  return found
}
