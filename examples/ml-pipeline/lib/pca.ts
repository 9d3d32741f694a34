/** Where a data set varies most. */
export interface Components {
  /** Of each variable. */
  mean: Float64Array
  /** One direction after the other, each of length 1, the one with the most variance first. */
  directions: Float64Array
  /** Variance along each direction, and over all of them. */
  variances: Float64Array
  total: number
}

/** The `count` principal components of rows of `width` variables, by the eigenvectors of their covariance. */
export function principalComponents(rows: Float64Array, width: number, count: number): Components {
  const n = rows.length / width
  const mean = new Float64Array(width)
  for (const [i, value] of rows.entries()) mean[i % width] = (mean[i % width] as number) + value / n
  const covariance = new Float64Array(width * width)
  const centred = new Float64Array(width)
  for (let r = 0; r < n; r++) {
    for (let i = 0; i < width; i++) centred[i] = (rows[r * width + i] as number) - (mean[i] as number)
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++)
        covariance[i * width + j] =
          (covariance[i * width + j] as number) + ((centred[i] as number) * (centred[j] as number)) / (n - 1)
  }
  const { values, vectors } = symmetricEigen(covariance, width)
  const order = [...values.keys()].sort((a, b) => (values[b] as number) - (values[a] as number)).slice(0, count)
  const directions = new Float64Array(count * width)
  for (const [k, from] of order.entries())
    for (let i = 0; i < width; i++) directions[k * width + i] = vectors[i * width + from] as number
  return {
    mean,
    directions,
    variances: Float64Array.from(order, (from) => values[from] as number),
    total: values.reduce((sum, value) => sum + value, 0),
  }
}

/** Rows as seen along the components. */
export function projected(
  rows: Float64Array,
  { mean, directions }: Pick<Components, 'mean' | 'directions'>,
): Float64Array {
  const width = mean.length
  const count = directions.length / width
  const result = new Float64Array((rows.length / width) * count)
  for (let at = 0; at < result.length; at++) {
    const [row, k] = [Math.floor(at / count), at % count]
    let sum = 0
    for (let i = 0; i < width; i++)
      sum += ((rows[row * width + i] as number) - (mean[i] as number)) * (directions[k * width + i] as number)
    result[at] = sum
  }
  return result
}

const mostSweeps = 60

/**
 * Eigenvalues and, as columns, eigenvectors of a symmetric matrix: Jacobi's method, cyclic by rows (Golub and Van Loan, Matrix Computations,
 * §8.5).
 * @throws {Error} when it does not converge
 */
export function symmetricEigen(matrix: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const a = matrix.slice()
  const vectors = new Float64Array(n * n)
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1
  const size = Math.sqrt(a.reduce((sum, value) => sum + value * value, 0))
  for (let sweep = 0; ; sweep++) {
    let off = 0
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += 2 * (a[p * n + q] as number) ** 2
    if (Math.sqrt(off) <= 1e-14 * size) break
    if (sweep === mostSweeps) throw new Error(`the matrix is not diagonal after ${mostSweeps} sweeps`)
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) turn(a, vectors, n, p, q)
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i] as number), vectors }
}

/** Makes the element in row p, column q zero. */
function turn(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const at = (i: number, j: number) => a[i * n + j] as number
  if (at(p, q) === 0) return
  const tau = (at(q, q) - at(p, p)) / (2 * at(p, q))
  const tangent = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau))
  const cosine = 1 / Math.sqrt(1 + tangent * tangent)
  const sine = tangent * cosine
  const both = (values: Float64Array, first: number, second: number) => {
    const [x, y] = [values[first] as number, values[second] as number]
    values[first] = cosine * x - sine * y
    values[second] = sine * x + cosine * y
  }
  for (let i = 0; i < n; i++) both(a, i * n + p, i * n + q)
  for (let i = 0; i < n; i++) both(a, p * n + i, q * n + i)
  for (let i = 0; i < n; i++) both(vectors, i * n + p, i * n + q)
}
