import type { BySize, Draw } from './types.js'

/** Quantiles that stand for a continuous distribution. */
const POINTS = 4096

/**
 * A draw as ascending values, each as likely as the others. Continuous distributions become the 4,096 quantiles in the middle of equal
 * shares: of an exponential one that is 0.01% off in the mean and 0.2% in the second moment.
 */
export function tableOf(draw: Draw): Float64Array {
  if (typeof draw === 'number') return checked(Float64Array.of(draw))
  if ('byRequest' in draw) return checked(Float64Array.from(draw.byRequest.flat()).sort())
  if ('values' in draw) return checked(Float64Array.from(draw.values).sort())
  const at = (i: number) => (i + 0.5) / POINTS
  if ('exponential' in draw)
    return checked(Float64Array.from({ length: POINTS }, (_, i) => -draw.meanMs * Math.log(1 - at(i))))
  return checked(Float64Array.from({ length: POINTS }, (_, i) => draw.medianMs * Math.exp(draw.sigma * normal(at(i)))))
}

/** Ascending values, or those of each recorded request one after another. */
export interface Table {
  values: Float64Array
  /** By number of a recorded request: where its values begin; one more at the end. Null: nothing is known of requests. */
  groups: Int32Array | null
}

export function groupedTable(draw: Draw): Table {
  if (typeof draw === 'number' || !('byRequest' in draw)) return { values: tableOf(draw), groups: null }
  return {
    values: checked(Float64Array.from(draw.byRequest.flat())),
    groups: groupsOf(draw.byRequest.map((x) => x.length)),
  }
}

/** Where each group begins when they stand one after another. */
export function groupsOf(lengths: readonly number[]): Int32Array {
  let at = 0
  const groups = new Int32Array(lengths.length + 1)
  for (const [i, length] of lengths.entries()) {
    at += length
    groups[i + 1] = at
  }
  return groups
}

/** The place of what is drawn: among the request's own, if it has any. @param luck uniform on [0, 1) */
export function placeIn(groups: Int32Array | null, length: number, request: number, luck: number): number {
  if (groups !== null && request >= 0 && request + 1 < groups.length) {
    const from = groups[request] as number
    const count = (groups[request + 1] as number) - from
    if (count > 0) return from + ((luck * count) | 0)
  }
  return (luck * length) | 0
}

/** As `tableAt`, with what is known of requests where the size itself was recorded. */
export function groupedTableAt(sizes: BySize, memoryMb: number): Table {
  const exact = sizes.find((size) => size.memoryMb === memoryMb) ?? (sizes.length === 1 ? sizes[0] : undefined)
  return exact ? groupedTable(exact.ms) : { values: tableAt(sizes, memoryMb), groups: null }
}

/** The table for a memory size. @throws {RangeError} when there is no size */
export function tableAt(sizes: BySize, memoryMb: number): Float64Array {
  const above = sizes.findIndex((size) => size.memoryMb >= memoryMb)
  const high = sizes[above < 0 ? sizes.length - 1 : above]
  if (!high) throw new RangeError('a distribution by memory needs one size at least')
  const low = sizes[above - 1]
  if (!low || high.memoryMb === memoryMb) return tableOf(high.ms)
  const weight = (1 / low.memoryMb - 1 / memoryMb) / (1 / low.memoryMb - 1 / high.memoryMb)
  const [a, b] = [tableOf(low.ms), tableOf(high.ms)]
  const length = a.length === 1 && b.length === 1 ? 1 : POINTS
  const pick = (table: Float64Array, i: number) => table[Math.floor(((i + 0.5) / length) * table.length)] as number
  return Float64Array.from({ length }, (_, i) => pick(a, i) * (1 - weight) + pick(b, i) * weight)
}

function checked(table: Float64Array): Float64Array {
  if (table.length === 0) throw new RangeError('a distribution needs one value at least')
  if (!table.every((value) => value >= 0 && Number.isFinite(value)))
    throw new RangeError('a duration in ms must be 0 or more')
  return table
}

/** Quantile of the standard normal distribution (Moro 1995, Risk 8(2): error below 3e-9). */
export function normal(p: number): number {
  const x = p - 0.5
  if (Math.abs(x) < 0.42) {
    const r = x * x
    const top = ((-25.44106049637 * r + 41.39119773534) * r - 18.61500062529) * r + 2.50662823884
    const bottom = (((3.13082909833 * r - 21.06224101826) * r + 23.08336743743) * r - 8.4735109309) * r + 1
    return (x * top) / bottom
  }
  const r = Math.log(-Math.log(x > 0 ? 1 - p : p))
  let sum = 0
  for (let i = TAIL.length - 1; i >= 0; i--) sum = sum * r + (TAIL[i] as number)
  return x > 0 ? sum : -sum
}

const TAIL = [
  0.3374754822726147, 0.9761690190917186, 0.1607979714918209, 0.0276438810333863, 0.0038405729373609,
  0.0003951896511919, 0.0000321767881768, 0.0000002888167364, 0.0000003960315187,
]
