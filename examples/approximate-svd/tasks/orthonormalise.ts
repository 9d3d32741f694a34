import { packNumbers, unpackNumbers } from '@fusionize/example-kit'
import { task } from 'fusionize'
import { type Matrix, rowsOf, stacked } from '../lib/matrix'
import { orthonormalBasis } from '../lib/qr'
import type { Sketch } from './sketch'

/** Puts the sketches one below the other and finds a basis of what they span; each block gets its rows of it back. */
export default task('orthonormalise', async (sketches: Sketch[]): Promise<string[]> => {
  const parts = sketches.map(({ width, rows }): Matrix => {
    const values = unpackNumbers(rows)
    return { rows: values.length / width, columns: width, values }
  })
  const basis = orthonormalBasis(stacked(parts))
  let first = 0
  return parts.map(({ rows }) => {
    const own = rowsOf(basis, first, rows)
    first += rows
    return packNumbers(own.values)
  })
})
