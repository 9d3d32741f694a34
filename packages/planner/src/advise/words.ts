import type { Estimate } from '../types.js'

/** A number with about three digits that count. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

export const ms = (value: number): string => `${digits(value)} ms`

/** `52.1 [50.3, 54.0]` */
export const interval = ({ value, low, high }: Estimate): string => `${digits(value)} [${digits(low)}, ${digits(high)}]`

export const percent = (share: number): string => `${digits(share * 100)}%`

export const usd = (value: number): string => `${value < 0 ? '−' : ''}$${digits(Math.abs(value))}`

/** `A`, `A and B`, `A, B and 3 more` */
export function names(list: readonly string[], most = 4): string {
  if (list.length > most) return `${list.slice(0, most).join(', ')} and ${list.length - most} more`
  return list.length < 2 ? (list[0] ?? '') : `${list.slice(0, -1).join(', ')} and ${list.at(-1)}`
}
