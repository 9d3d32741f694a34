import { type Matrix, zeros } from './matrix'

/**
 * An orthonormal basis of the columns of a tall matrix: the thin Q of its QR decomposition by Householder's reflections (Golub and Van Loan,
 * Matrix Computations, §5.2).
 */
export function orthonormalBasis(tall: Matrix): Matrix {
  const { rows, columns } = tall
  const work = tall.values.slice()
  const at = (i: number, j: number) => work[i * columns + j] as number
  const scales: number[] = []
  for (let k = 0; k < columns; k++) {
    let squares = 0
    for (let i = k; i < rows; i++) squares += at(i, k) ** 2
    const length = Math.sqrt(squares)
    // Away from the element's own sign, so that nothing cancels.
    const target = at(k, k) > 0 ? -length : length
    const head = at(k, k) - target
    // The reflection is I − scale · v vᵀ with v below the diagonal, v[k] = 1. A column of zeros needs none.
    scales[k] = length === 0 ? 0 : -head / target
    if (length === 0) continue
    for (let i = k + 1; i < rows; i++) work[i * columns + k] = at(i, k) / head
    work[k * columns + k] = 1
    for (let j = k + 1; j < columns; j++) reflect(work, columns, j, k, scales[k] as number, work)
  }
  const basis = zeros(rows, columns)
  for (let j = 0; j < columns; j++) basis.values[j * columns + j] = 1
  for (let k = columns - 1; k >= 0; k--)
    for (let j = k; j < columns; j++) reflect(basis.values, columns, j, k, scales[k] as number, work)
  return basis
}

/** Reflects column `j` of `values` by the vector that is in column `k` of `vectors`, from row `k` on. */
function reflect(
  values: Float64Array,
  columns: number,
  j: number,
  k: number,
  scale: number,
  vectors: Float64Array,
): void {
  const rows = values.length / columns
  let dot = 0
  for (let i = k; i < rows; i++) dot += (vectors[i * columns + k] as number) * (values[i * columns + j] as number)
  const factor = scale * dot
  for (let i = k; i < rows; i++) {
    const at = i * columns + j
    values[at] = (values[at] as number) - factor * (vectors[i * columns + k] as number)
  }
}
