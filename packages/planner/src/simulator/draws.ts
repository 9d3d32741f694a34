import { normalQuantile } from '../statistics/normal.js'
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
  return checked(
    Float64Array.from({ length: POINTS }, (_, i) => draw.medianMs * Math.exp(draw.sigma * normalQuantile(at(i)))),
  )
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
