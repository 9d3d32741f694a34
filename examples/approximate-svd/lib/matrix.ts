/** A matrix of numbers, row by row. */
export interface Matrix {
  rows: number
  columns: number
  values: Float64Array
}

export function zeros(rows: number, columns: number): Matrix {
  return { rows, columns, values: new Float64Array(rows * columns) }
}

/** @returns a · b */
export function product(a: Matrix, b: Matrix): Matrix {
  const result = zeros(a.rows, b.columns)
  for (let i = 0; i < a.rows; i++)
    for (let k = 0; k < a.columns; k++) addRow(result, i, a.values[i * a.columns + k] as number, b, k)
  return result
}

/** @returns aᵀ · b */
export function transposedProduct(a: Matrix, b: Matrix): Matrix {
  const result = zeros(a.columns, b.columns)
  for (let i = 0; i < a.rows; i++)
    for (let k = 0; k < a.columns; k++) addRow(result, k, a.values[i * a.columns + k] as number, b, i)
  return result
}

/** Adds `factor` times row `from` of b to a row. */
function addRow({ values, columns }: Matrix, row: number, factor: number, b: Matrix, from: number): void {
  const to = row * columns
  const start = from * columns
  for (let j = 0; j < columns; j++)
    values[to + j] = (values[to + j] as number) + factor * (b.values[start + j] as number)
}

export function transposed({ rows, columns, values }: Matrix): Matrix {
  const result = zeros(columns, rows)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result.values[j * rows + i] = values[i * columns + j] as number
  return result
}

/** Matrices one below the other. */
export function stacked(parts: readonly Matrix[]): Matrix {
  const result = zeros(
    parts.reduce((sum, { rows }) => sum + rows, 0),
    parts[0]?.columns ?? 0,
  )
  let at = 0
  for (const { values } of parts) {
    result.values.set(values, at)
    at += values.length
  }
  return result
}

/** Rows `first` … `first + rows - 1`. */
export function rowsOf({ columns, values }: Matrix, first: number, rows: number): Matrix {
  return { rows, columns, values: values.slice(first * columns, (first + rows) * columns) }
}

/** The sum of the squares of all elements: the square of the Frobenius norm. */
export function squareSum({ values }: Matrix): number {
  let sum = 0
  for (const value of values) sum += value * value
  return sum
}
