import { type Matrix, transposed, zeros } from './matrix'

/** A singular value decomposition of a matrix of at least as many rows as columns: left · diag(values) · rightᵀ. */
export interface Decomposition {
  /** In falling order. */
  values: Float64Array
  /** Rows × columns; a column that belongs to the value 0 is 0. */
  left: Matrix
  /** Columns × columns. */
  right: Matrix
}

/** Columns count as orthogonal when their product is this small beside their lengths. */
const precision = 1e-15
const mostSweeps = 60

/**
 * One-sided Jacobi (Hestenes 1958; Golub and Van Loan, §8.6.3): turns pairs of columns until all are orthogonal; their lengths are the singular
 * values.
 * @throws {Error} when it does not converge
 */
export function smallSvd(matrix: Matrix): Decomposition {
  const { rows, columns } = matrix
  // Columns become rows, so that a turn goes through memory in order.
  const work = transposed(matrix).values
  const turned = zeros(columns, columns).values
  for (let j = 0; j < columns; j++) turned[j * columns + j] = 1
  for (let sweep = 0; turnAll(work, rows, turned, columns); sweep++)
    if (sweep === mostSweeps) throw new Error(`the columns are not orthogonal after ${mostSweeps} sweeps`)
  const lengths = Array.from({ length: columns }, (_, j) => Math.sqrt(dot(work, rows, j, j)))
  const order = lengths.map((_, j) => j).sort((a, b) => (lengths[b] as number) - (lengths[a] as number))
  const left = zeros(rows, columns)
  const right = zeros(columns, columns)
  for (const [j, from] of order.entries()) {
    const length = lengths[from] as number
    for (let i = 0; i < rows; i++)
      left.values[i * columns + j] = length === 0 ? 0 : (work[from * rows + i] as number) / length
    for (let i = 0; i < columns; i++) right.values[i * columns + j] = turned[from * columns + i] as number
  }
  return { values: Float64Array.from(order, (from) => lengths[from] as number), left, right }
}

/** One sweep over all pairs. @returns whether any was turned */
function turnAll(work: Float64Array, length: number, turned: Float64Array, columns: number): boolean {
  let any = false
  for (let p = 0; p < columns; p++)
    for (let q = p + 1; q < columns; q++) {
      const alpha = dot(work, length, p, p)
      const beta = dot(work, length, q, q)
      const gamma = dot(work, length, p, q)
      if (Math.abs(gamma) <= precision * Math.sqrt(alpha * beta)) continue
      any = true
      const zeta = (beta - alpha) / (2 * gamma)
      const tangent = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta))
      const cosine = 1 / Math.sqrt(1 + tangent * tangent)
      turn(work, length, p, q, cosine, cosine * tangent)
      turn(turned, columns, p, q, cosine, cosine * tangent)
    }
  return any
}

function dot(vectors: Float64Array, length: number, p: number, q: number): number {
  let sum = 0
  for (let i = 0; i < length; i++) sum += (vectors[p * length + i] as number) * (vectors[q * length + i] as number)
  return sum
}

function turn(vectors: Float64Array, length: number, p: number, q: number, cosine: number, sine: number): void {
  for (let i = 0; i < length; i++) {
    const a = vectors[p * length + i] as number
    const b = vectors[q * length + i] as number
    vectors[p * length + i] = cosine * a - sine * b
    vectors[q * length + i] = sine * a + cosine * b
  }
}
